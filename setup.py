"""The packages of a wheel: those that are found, and `conf/` as the package data folder `bench/conf`."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["frames*", "bench*", "baselines*", "turbovsr*"]), "bench.conf"],
    package_dir={"bench.conf": "conf"},
)
