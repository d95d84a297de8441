"""Derived addresses against those known of the main network (Velocity: derived and equal to its published oracles)."""

from solders.pubkey import Pubkey

from drift_engine.venues import addresses
from drift_engine.venues.programs import DRIFT_V2, VELOCITY

V = VELOCITY.program_id


def test_velocity_s_markets_lie_where_they_are_known_to() -> None:
    perps = [str(addresses.perp_market(V, index)) for index in range(4)]
    assert perps == [
        "FDejXbUrSy6zayBCL5xuk2SXLHZgr8ppfFTLcHbyJorY",
        "7s5WRWA3GahueLNfNb8bbVnHnxCssK5YjGCR3wP6Aa1t",
        "Bx7JoyYAmBLDPnEdQsPUEhs2dDu4Ga5PoW5BhhhAcChg",
        "Sozrqx5wyAiRUQKJSmNTQisUT5sJJViK2L13nL9v46k",
    ]
    assert [(str(addresses.spot_market(V, index)), str(addresses.spot_market_vault(V, index))) for index in (0, 1)] == [
        ("2QpHj5vzgCdWaGM2KSoGtYJWeSkx24cMyzUDHDrucvRc", "G9NKtiafHiCTArgVouXx6XS7Jb3DqigrT6S6BgSDLrvz"),
        ("5MzQRp6hhesVuM3CSAzBfPSNP1WaJyF1ifwkmzcrWLtU", "BJyCJijt3zmJikjSvhorZtxaoQDWrWmTHfUvhxa5aA4i"),
    ]


def test_lazer_oracles_lie_at_their_feed() -> None:
    assert {feed: str(addresses.pyth_lazer_oracle(V, feed)) for feed in (6, 1, 2, 110)} == {
        6: "2k3UHX6ehRFzx5fTVvbL6FwXhMjkucjJDL9MuVKLo8TV",
        1: "J7Fp8iTKuKdCM7PnzqHXTdTo5Jr7ykAmiDyvpz58GJGZ",
        2: "6wQ5RiQ7usJ3TqYZSiuAPZHrVCeSWNrvace84khDKEmH",
        110: "Nc9hadTxNbLw6SiYVGVGjp4WZjanWUuNiKSxdHwHNtK",
    }


def test_users_are_told_apart_by_program_and_number() -> None:
    authority = Pubkey(bytes(range(32)))
    found = {
        addresses.user(program.program_id, authority, sub) for program in (VELOCITY, DRIFT_V2) for sub in (0, 1, 256)
    }
    stats = {addresses.user_stats(program.program_id, authority) for program in (VELOCITY, DRIFT_V2)}
    assert len(found | stats) == 8
