"""What an event's fields are: how each kind is written in bytes, said by its type."""

from typing import Annotated

from msgspec import Struct
from solders.pubkey import Pubkey

U8 = Annotated[int, "u8"]
U16 = Annotated[int, "u16"]
U32 = Annotated[int, "u32"]
U64 = Annotated[int, "u64"]
U128 = Annotated[int, "u128"]
I64 = Annotated[int, "i64"]
I128 = Annotated[int, "i128"]
Flag = Annotated[bool, "bool"]
Key = Annotated[Pubkey, "pubkey"]
Name = Annotated[str, "text"]
Ids = Annotated[tuple[int, ...], "vec<u32>"]
NOBODY = Pubkey.default()


class Event(Struct, frozen=True, gc=False, kw_only=True):
    """Something a program logged."""
