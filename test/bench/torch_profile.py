"""Milliseconds that each of PyTorch's operators takes in a training step, as JSON: the peer of torch-profile.ts.

Arguments: depth, batch, side, precision, threads, steps.
"""
import json
import sys

from torch.profiler import ProfilerActivity, profile

from torch_step import trainer

depth, batch, side = (int(argument) for argument in sys.argv[1:4])
precision, threads, steps = sys.argv[4], int(sys.argv[5]), int(sys.argv[6])
step = trainer(depth, batch, side, precision, threads)
for _ in range(3):
    step()
with profile(activities=[ProfilerActivity.CPU]) as profiled:
    for _ in range(steps):
        step()
rows = profiled.key_averages()
print(json.dumps({row.key: row.self_cpu_time_total / 1000 / steps for row in rows}))
