"""The codec: bytes of accounts, logs and arguments to values and back. Pure; it asks nobody anything.

``accounts`` chooses the protocol and the kind, and hands out a view: ``user``, ``user_stats``, ``perp_market``,
``spot_market``, ``state``, ``oracle_accounts``, ``insurance``. What a view is stands in ``layout`` and ``codec``, the
structs inside accounts in ``records``, the places of the fields in each protocol's own folder. ``oracles`` makes prices
of oracle accounts, ``logs`` finds events and errors in a transaction's log, ``events`` decodes them; ``borsh`` is what
lies in them and in instructions.
"""
