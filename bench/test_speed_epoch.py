"""Stochastic gradient descent: an epoch, or a mini-batch where the layers are narrow."""

import agreement
import data
import machine
import pytest
from jobs import JOBS
from peers import PEERS

PAIRS = [
    pytest.param(job, entry, id=f"{job.name(machine.THREADS)}-{entry.name}")
    for job in JOBS
    if machine.THREADS in job.threads
    for entry in PEERS
    if entry.name in job.peers
]


@pytest.fixture(scope="module")
def problem():
    """A function of a job: its `Problem`; the latest is kept for the next peer."""
    latest = {}

    def make(job):
        if job not in latest:
            latest.clear()
            latest[job] = data.problem(job)
        return latest[job]

    return make


@pytest.mark.parametrize(("job", "entry"), PAIRS)
def test_epoch(job, entry, problem, measure):
    if entry.absence():
        pytest.skip(entry.absence())
    start = problem(job)
    implementation = entry.load()
    agreement.assert_trains_like_reference(start, implementation)

    trainer = implementation(start)
    trainer.prepare_to_train()
    part = trainer.part * (job.steps if job.per_step else 1)
    measure(
        job.name(machine.THREADS),
        entry,
        trainer.epoch,
        part=part,
        dense_operations=job.dense_operations,
        peak_dtype=job.dtype if entry.name == "fastnet" else None,
    )
    if trainer.part == 1:
        assert trainer.correct() >= job.floor * len(start.test)
