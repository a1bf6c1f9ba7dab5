"""All-reduce through torch.distributed with Gloo: mean ms of so many floats. Arguments: floats, rounds."""
import json
import os
import sys
import time

import torch
import torch.distributed as dist

floats, rounds = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method="env://")
rank, size = dist.get_rank(), dist.get_world_size()
times = []
for i in range(-2, rounds):
    values = torch.full((floats,), float(rank + 1))
    dist.barrier()
    start = time.perf_counter()
    dist.all_reduce(values)
    if i >= 0:
        times.append((time.perf_counter() - start) * 1000)
    assert values[-1].item() == size * (size + 1) / 2
times.sort()
if rank == 0:
    print(json.dumps({"median": times[len(times) // 2], "fastest": times[0]}))
dist.destroy_process_group()
