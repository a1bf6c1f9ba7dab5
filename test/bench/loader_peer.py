"""PyTorch's side of loader.ts: torchvision transforms on Pillow pictures, behind a DataLoader.

Usage: loader_peer.py RECIPE FOLDER WORKERS memory|disk. Prints "ready"; for each line read, goes once through the
folder and prints CPU milliseconds per image (user and system, workers included), images per second.
"""
import os
import random
import sys
import time
from io import BytesIO

import torch
from PIL import Image, ImageFilter
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as T

torch.set_num_threads(1)
BATCH = 50


class PILGaussianBlur:
    def __call__(self, image):
        if random.random() > 0.5:
            return image
        return image.filter(ImageFilter.GaussianBlur(radius=random.uniform(0.1, 2.0)))


def tensor():
    return [T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]


def distorted(size, scale):
    jitter = T.RandomApply([T.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8)
    crop = T.RandomResizedCrop(size, scale=scale, interpolation=T.InterpolationMode.BILINEAR)
    return T.Compose(
        [crop, T.RandomHorizontalFlip(), jitter, T.RandomGrayscale(0.2), PILGaussianBlur(), *tensor()]
    )


def twice(transform):
    return [transform, transform]


RECIPES = {
    "simclr": twice(distorted(224, (0.08, 1.0))),
    "swav": twice(distorted(224, (0.14, 1.0))) + twice(distorted(96, (0.05, 0.14))) * 2,
    "supervised": [T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), *tensor()])],
    "small": twice(distorted(32, (0.08, 1.0))),
}


class Pictures(Dataset):
    def __init__(self, folder, views, memory):
        self.files = sorted(os.path.join(folder, name) for name in os.listdir(folder))
        self.views = views
        self.kept = [self.load(file) for file in self.files] if memory else None

    @staticmethod
    def load(file):
        with open(file, "rb") as opened:
            return Image.open(BytesIO(opened.read())).convert("RGB")

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        image = self.kept[index] if self.kept else self.load(self.files[index])
        return [view(image) for view in self.views], index


def worked(loader):
    """CPU seconds of this process and of the loader's workers."""
    total = sum(os.times()[:2])
    ticks = os.sysconf("SC_CLK_TCK")
    for worker in getattr(loader._iterator, "_workers", []) if loader._iterator else []:
        with open(f"/proc/{worker.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / ticks
    return total


recipe, folder, workers, source = sys.argv[1:]
dataset = Pictures(folder, RECIPES[recipe], source == "memory")
loader = DataLoader(
    dataset, batch_size=BATCH, shuffle=True, num_workers=int(workers), persistent_workers=int(workers) > 0
)


def once():
    for _ in loader:
        pass


once()
print("ready", flush=True)
for _ in sys.stdin:
    cpu, wall = worked(loader), time.perf_counter()
    once()
    images = len(dataset)
    print(1000 * (worked(loader) - cpu) / images, images / (time.perf_counter() - wall), flush=True)
