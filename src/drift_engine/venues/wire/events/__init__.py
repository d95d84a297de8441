"""Events that the programs log: what each says, and how it lies in bytes.

An event is a struct whose fields say their borsh kind (``U64`` is an ``int`` of 64 bits, ``X | None`` an option). Both
protocols share the structs; a field that a protocol does not write keeps its default. ``decoding.Events`` reads and
writes one protocol's, told apart by their first eight bytes.

A record that a program extended later decodes as far as this build knows it, an older and shorter one keeps the
defaults of what it lacks. One that does not decode, or whose kind is not known, is an ``UnknownEvent`` with its bytes
and the reason: none is dropped.

Source: ``state/events.rs`` of both programs. Scales: base 1e9, quote and prices 1e6, funding rates 1e9, scaled
balances 1e9, cumulative interest 1e10, token amounts by the mint, ``ts`` in unix seconds. Enums: ``wire.enums``.
"""
