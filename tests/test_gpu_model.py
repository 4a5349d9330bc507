"""The model of CUDA kernels: listings of machine code, paths, occupancy, launches."""

from __future__ import annotations

import cuda_compile
import pytest

pytest.importorskip("torch")

from benchmarks import gpu_model, machine_code
from benchmarks.gpu_model import DEVICES, Work, model_rows
from benchmarks.machine_code import Cost, Loop, common_path, loops, parsed
from benchmarks.tile_model import Changes, changes_of

LISTING = """
        /*0000*/                   S2R R0, SR_TID.X ;
.L_x_1:
        /*0010*/              @!P0 BRA `(.L_x_2) ;
        /*0020*/                   LDG.E.64 R2, desc[UR8][R12.64] ;
        /*0030*/                   BRA `(.L_x_3) ;
.L_x_2:
        /*0040*/                   LDG.E R2, desc[UR8][R12.64] ;
        /*0050*/                   CALL.REL.NOINC `($__internal_0_$__cuda_sm20_div_s64) ;
        /*0060*/                   LDG.E R3, desc[UR8][R14.64] ;
.L_x_3:
        /*0070*/                   STS.128 [R4], R8 ;
        /*0080*/                   NOP ;
        /*0090*/                   STG.E.U16 desc[UR8][R16.64], R2 ;
        /*00a0*/               @P1 BRA `(.L_x_1) ;
        /*00b0*/                   EXIT ;
.L_x_4:
        /*00c0*/                   BRA `(.L_x_4);
"""


def test_the_path_moves_most_and_executes_least() -> None:
    code = parsed(LISTING)
    assert [instruction.name for instruction in code[:2]] == ["S2R", "BRA"]
    assert loops(code) == [Loop(1, 10)]
    # Both branches load 8 bytes; the first one has fewer instructions.
    assert common_path(code, Loop(1, 10)) == Cost(2, 8, 4, 6, 4)
    assert common_path(code) == Cost(2, 8, 4, 8, 4)


def test_loops_over_shared_memory_are_not_modelled() -> None:
    assert gpu_model.work_of(parsed(LISTING)) == Work(3.0, 2.0)
    separate = """
.L_x_1:
        /*0000*/                   LDG.E R2, desc[UR8][R12.64] ;
        /*0010*/                   STS [R4], R2 ;
        /*0020*/               @P1 BRA `(.L_x_1) ;
.L_x_2:
        /*0030*/                   LDS R2, [R4] ;
        /*0040*/                   STG.E desc[UR8][R16.64], R2 ;
        /*0050*/               @P1 BRA `(.L_x_2) ;
"""
    assert gpu_model.work_of(parsed(separate)) == Work(1.5, 0.5)
    steps = """
.L_x_3:
        /*0060*/                   LDS R2, [R4] ;
        /*0070*/                   STS [R4], R2 ;
        /*0080*/               @P1 BRA `(.L_x_3) ;
"""
    code = parsed(separate + steps)
    assert gpu_model.work_of(code) is None
    # Two steps with no taps besides the target change half of the numbers each, with 1.5 loads.
    changes = Changes(1.5, ((0, 0.5), (0, 0.5)))
    assert gpu_model.work_of(code, changes) is None  # loops of fewer changes than a run
    run = steps.replace("STS [R4]", "STS.128 [R4]")
    work = gpu_model.work_of(parsed(separate + run), changes)
    assert work == Work(0.75 + 1.5 * 0.75 + 3 / 4 / 4, 0.25 + 1.5 * 0.25 + 5 / 4 / 4)


def test_warps_and_bounds() -> None:
    h200 = DEVICES[0]
    assert gpu_model.warps_of(h200, 96, 117, 0) == 20  # 5 blocks of 4 warps by registers
    assert gpu_model.warps_of(h200, 32, 256, 48 << 10) == 32  # 4 blocks by shared memory
    assert gpu_model.warps_of(h200, 32, 32, 0) == 32  # the most blocks
    issue, shared = gpu_model.bounds(h200, Work(9.0, 1.25), 117, 2.0)
    assert issue == pytest.approx(132 * 128 * 1.98e9 / 9 * 2 / 4.8e12 * 117 / 128)
    assert shared == pytest.approx(132 * 32 * 1.98e9 / 1.25 * 2 / 4.8e12)


def test_the_largest_launch_of_a_row() -> None:
    row = next(row for row in model_rows() if row.name == "wavedec2 db4, 4 levels")
    launch = gpu_model.largest_launch(row)
    assert "analysis_tile<float, float, float, 8, 8" in launch.kernel.expression
    assert launch.blocks > 200
    assert changes_of(launch) is None


def test_the_changes_of_lifting() -> None:
    row = next(row for row in model_rows() if row.name == "dwt2 CDF 5/3, reflect, int16")
    launch = gpu_model.largest_launch(row)
    assert "lift_analysis" in launch.kernel.expression
    changes = changes_of(launch)
    assert changes is not None
    assert changes.loaded == pytest.approx(40 * 64 / (38 * 62), abs=0.05)  # halos of 2 pairs
    assert [taps for taps, _ in changes.changed] == [2, 2, 2, 2]
    assert all(0.5 <= count <= changes.loaded / 2 for _, count in changes.changed)


@pytest.mark.skipif(
    cuda_compile.compiler() != "nvrtc" or machine_code.disassembler() is None,
    reason="NVRTC or nvdisasm is not here",
)
def test_a_row_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_model, "DEVICES", DEVICES[:1])
    row = next(row for row in model_rows() if row.name == "dwt2 haar, periodization, float32")
    cells = " ".join(gpu_model.line(row, cuda_compile))
    assert "analysis_tile" in cells
    assert "–" not in cells
