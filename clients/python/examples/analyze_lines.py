"""Reads texts, one a line, and writes an object of JSON a line about each, in their order.

    python examples/analyze_lines.py reviews.txt --tier fast --mode stream

The key is in SENTIMENT_API_KEY, where the server wants one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import BinaryIO, get_args

from sentiment_client import Label, Outcome, SentimentClient, SentimentError, TierName


def main() -> int:
    arguments = read_arguments()
    with (
        open_source(arguments.file) as source,
        SentimentClient(arguments.address, api_key=os.environ.get("SENTIMENT_API_KEY")) as client,
    ):
        analyze = client.analyze_stream if arguments.mode == "stream" else client.analyze_all
        try:
            for index, outcome in enumerate(analyze(lines_of(source), tier=arguments.tier)):
                print(json.dumps({"index": index, **said_of(outcome)}, separators=(",", ":")), flush=True)
        except SentimentError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 1
    return 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", nargs="?", default="-", help="texts, one a line; standard input unless named")
    parser.add_argument("--address", help="of the server (default: SENTIMENT_ADDRESS, or 127.0.0.1:50051)")
    parser.add_argument("--tier", choices=get_args(TierName), help="which model answers (default: the server's)")
    parser.add_argument("--mode", choices=("batch", "stream"), default="batch")
    return parser.parse_args()


def open_source(file: str) -> BinaryIO:
    return sys.stdin.buffer if file == "-" else open(file, "rb")


def lines_of(source: Iterable[bytes]) -> Iterator[str]:
    for line in source:
        # What is no UTF-8 becomes what no text may have, so that it is refused and not repaired.
        yield line.removesuffix(b"\n").decode(errors="surrogateescape")


def said_of(outcome: Outcome) -> dict[str, object]:
    if isinstance(outcome, SentimentError):
        return {"error": outcome.reason}
    return {
        "label": Label.Name(outcome.label),
        "score": float32(outcome.score),
        "confidence": float32(outcome.confidence),
        "token_count": outcome.token_count,
    }


def float32(value: float) -> float:
    """As few digits as tell it from all other floats of 32 bits."""
    return float(f"{value:.9g}")


if __name__ == "__main__":
    sys.exit(main())
