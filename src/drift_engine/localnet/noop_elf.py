"""A Solana program that does nothing, as an ELF file: ``mov64 r0, 0; exit``.

It stands at a played program's address, so that LiteSVM runs the rest of a transaction for real. Layout: ELF64, little
endian, machine 247 (BPF), type 3 (shared object), one loadable segment, and the sections a loader asks for (solana-sbpf
``elf_parser``: null, ``.text`` which holds the entry point, ``.shstrtab``). No dynamic section: nothing to relocate.
"""

from struct import pack

MACHINE_BPF, SHARED_OBJECT = 247, 3
MOV64_R0_0 = bytes((0xB7, 0, 0, 0, 0, 0, 0, 0))
EXIT = bytes((0x95, 0, 0, 0, 0, 0, 0, 0))
HEADER_BYTES, SEGMENT_BYTES, SECTION_BYTES = 64, 56, 64
EXECUTE_READ = 5
PROGBITS, STRTAB = 1, 3
ALLOC_EXECUTE = 6


def noop_elf() -> bytes:
    """Return the file's bytes, the same every time."""
    text, names = MOV64_R0_0 + EXIT, b"\0.text\0.shstrtab\0"
    text_at = HEADER_BYTES + SEGMENT_BYTES
    names_at = text_at + len(text)
    sections_at = (names_at + len(names) + 7) & ~7
    header = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    header += pack("<HHIQQQI", SHARED_OBJECT, MACHINE_BPF, 1, text_at, HEADER_BYTES, sections_at, 0)
    header += pack("<HHHHHH", HEADER_BYTES, SEGMENT_BYTES, 1, SECTION_BYTES, 3, 2)
    segment = pack("<IIQQQQQQ", 1, EXECUTE_READ, text_at, text_at, text_at, len(text), len(text), 8)
    sections = bytes(SECTION_BYTES)
    sections += _section(names.index(b".text"), PROGBITS, ALLOC_EXECUTE, text_at, text_at, len(text))
    sections += _section(names.index(b".shstrtab"), STRTAB, 0, 0, names_at, len(names))
    body = header + segment + text + names
    return body + bytes(sections_at - len(body)) + sections


def _section(name: int, kind: int, flags: int, address: int, offset: int, size: int) -> bytes:
    return pack("<IIQQQQIIQQ", name, kind, flags, address, offset, size, 0, 0, 8, 0)
