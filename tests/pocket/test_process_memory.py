"""The last line: allocations beyond the limit fail, the process lives; and Linux's killer takes it first."""

import subprocess
import sys
from pathlib import Path

import pytest

from pocket import process_memory

LIMITED = """
from pocket import process_memory
process_memory.limit(300 << 20)
try:
    bytearray(1 << 30)
except MemoryError:
    print("refused", len(bytearray(1 << 20)))
"""
FIRST = """
from pathlib import Path
from pocket import process_memory
process_memory.be_the_first_victim()
process_memory.be_the_first_victim()
print(Path("/proc/self/oom_score_adj").read_text())
"""
linux = pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="Linux")


def said(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@linux
def test_an_allocation_beyond_the_limit_fails_and_the_next_one_does_not() -> None:
    assert said(LIMITED).split() == ["refused", str(1 << 20)]


@linux
def test_of_two_victims_the_kernel_takes_pocket() -> None:
    assert said(FIRST).strip() == "500"


def test_without_proc_nothing_is_known_and_nothing_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process_memory, "_STATM", tmp_path / "statm")
    monkeypatch.setattr(process_memory, "_SCORE", tmp_path / "oom_score_adj")
    process_memory.be_the_first_victim()
    assert process_memory.resident_bytes() == 0
    assert process_memory.peak_bytes() > 1 << 20
