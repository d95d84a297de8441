"""driftpy: CPU microseconds of decoding each account of the file named in ``argv``, by its default and its fastest."""

import base64
import json
import sys
from pathlib import Path

from driftpy.accounts.oracle import DRIFT_CODER, decode_pyth_lazer_price_info, decode_pyth_pull_price_info
from driftpy.decode.user import decode_user
from driftpy.types import OracleSource

from benchmarks.measure import cpu_ns

ROUNDS = 30


def main():
    held = {name: base64.b64decode(data) for name, data in json.loads(Path(sys.argv[1]).read_text()).items()}
    decode = DRIFT_CODER.accounts.decode
    check(decode(held["user, 8 perps 8 spots 32 orders"]))
    found = {
        "default": {name: fastest_us(decode, data) for name, data in held.items() if "oracle" not in name},
        "fastest": {name: fastest_us(decode_user, data) for name, data in held.items() if name.startswith("user")},
    }
    found["default"]["lazer oracle"] = fastest_us(decode_pyth_lazer_price_info, held["lazer oracle"])
    found["fastest"]["pull oracle"] = fastest_us(pull_price, held["pull oracle"])
    sys.stdout.write(json.dumps(found) + "\n")


def pull_price(data):
    return decode_pyth_pull_price_info(data, OracleSource.PythPull())


def check(user):
    """The peer has to read what we wrote, else it does other work."""
    assert user.perp_positions[7].base_asset_amount == -1_500_000_000
    assert user.orders[31].base_asset_amount == 1_500_000_000


def fastest_us(decode, data):
    decode(data)
    once = max(1, cpu_ns(lambda: decode(data)))
    repeats = max(1, 3_000_000 // once)

    def repeated():
        for _ in range(repeats):
            decode(data)

    return min(cpu_ns(repeated) for _ in range(ROUNDS)) / repeats / 1_000


if __name__ == "__main__":
    main()
