"""A small run of `python -m bench chaos`: a few hundred jobs, and each kind of process killed once."""

from bench.chaos import command


def test_no_job_is_lost_or_done_twice_while_all_that_does_them_is_killed() -> None:
    found, world = command.run(jobs=300, kills=6, poisons=0, seconds=6, seed=4)

    assert found.wrong == []
    assert world.kills == dict.fromkeys(world.kills, 1)
    assert found.figures["asked"] == 300
