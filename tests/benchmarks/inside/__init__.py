"""What benchmarks do in processes with Django: `python -m tests.benchmarks.inside VERB …` prints its answer as JSON."""
