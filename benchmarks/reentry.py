"""The Aalto re-entry benchmark: `python -m benchmarks.reentry [--runs N] [--json]`; see `noroshi.validate.reentry`."""

from __future__ import annotations

import argparse
import json

from noroshi.validate.reentry import EXPECTED_M, STEPS, runs


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reentry", description="the Aalto re-entry benchmark"
    )
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print a JSON object instead")
    args = parser.parse_args()
    if args.runs < 1:
        parser.error("--runs must be at least 1")
    got = runs(args.runs, args.seed)
    if args.json:
        print(json.dumps({**got._asdict(), "expected_m": EXPECTED_M}))
        return
    print(f"re-entry seen by a radar, {got.runs} runs of {STEPS} steps: {got.cpu_s:.2f} CPU-s")
    print(
        f"position RMSE  {got.rmse_m:.2f} m (sd {got.rmse_sd_m:.2f} from run to run); published EKF {EXPECTED_M} m"
    )
    print(f"drag exponent  {got.a_error:.4f} at the end, root mean square")
    print(f"NEES / 4       {got.nees:.3f}")


if __name__ == "__main__":
    main()
