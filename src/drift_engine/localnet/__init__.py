"""A Solana chain on the desk: real transactions over loopback RPC, venue programs played behind byte-true accounts."""
