"""Runs the commands of a page (blocks of sh), and compares what each says with the block of JSON below it; with "write" puts it there."""

import json
import re
import subprocess
import sys
from pathlib import Path

BLOCKS = re.compile(r"```sh\n(?P<command>.*?)```\n\n```json\n(?P<said>.*?)```", re.DOTALL)
# Of probabilities: machines without the same instructions differ a little.
TOLERANCE = 0.05


def answer(command: str) -> object:
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return rounded(json.loads(done.stdout))


def rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return round(value, 2) if isinstance(value, float) else value


def fits(said: object, expected: object) -> bool:
    if isinstance(expected, float) or isinstance(said, float):
        return abs(said - expected) <= TOLERANCE
    if isinstance(expected, dict):
        return said.keys() == expected.keys() and all(fits(said[name], expected[name]) for name in expected)
    if isinstance(expected, list):
        return len(said) == len(expected) and all(map(fits, said, expected))
    return said == expected


def written(block: re.Match[str]) -> str:
    said = json.dumps(answer(block["command"]), ensure_ascii=False)
    return f"```sh\n{block['command']}```\n\n```json\n{said}\n```"


def main(page: Path, write: bool) -> None:
    text = page.read_text()
    if write:
        page.write_text(BLOCKS.sub(written, text))
        return
    blocks = list(BLOCKS.finditer(text))
    assert len(blocks) == text.count("```sh") > 0, "a command without its answer"
    for block in blocks:
        said, expected = answer(block["command"]), json.loads(block["said"])
        assert fits(said, expected), f"{block['command']}\nsaid {json.dumps(said)}\nnot  {json.dumps(expected)}"
        print(f"ok: {block['command'].splitlines()[0]}")


main(Path(sys.argv[1]), sys.argv[2:] == ["write"])
