"""Base58 of any bytes, in Bitcoin's alphabet, as RPC writes keys, instruction data and old-style transactions."""

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """Return the text of the bytes; each leading zero byte is a ``1``."""
    number, letters = int.from_bytes(data, "big"), []
    while number:
        number, rest = divmod(number, 58)
        letters.append(ALPHABET[rest])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(letters))


def decode(text: str) -> bytes:
    """Return the bytes of the text; raise ``ValueError`` at a letter that is none."""
    number = 0
    for place, letter in enumerate(text):
        value = _VALUES.get(letter)
        if value is None:
            raise ValueError(f"{letter!r} at {place} is not a base58 letter")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
