# Each target sets up what it needs: a .venv with the packages of requirements.txt.
PYTHON ?= python3.11
VENV := .venv
INSTALLED := $(VENV)/installed
ACTIVATE := . $(VENV)/bin/activate
FOLDS ?= 5
MODEL ?= models/efficientnetb1.keras
# What photographs are learnt best by (docs/recipe.md); `make modern ARGS="-S data.raw=data/mine"` adds more.
MODERN := -S train.epochs=20 -S train.early_stopping_patience=20 -S train.weight_averaging=0.95 -S augment.copies=0 \
	-S augment.online=true -S augment.grey=0.1 -S augment.erase=0.25 -S model.dropout=0.4 \
	-S model.fine_tune_layers=all -S evaluate.mirror=true
ARGS ?=

.PHONY: setup repro test test-keras test-jax test-slurm test-ray test-timm test-browser test-hour test-optuna test-share test-intervals report table ablation seeds modern recipe folds curve chaos fuzz bench bench-scale bench-duplicates bench-layouts bench-ranks bench-scenes picture lint format lock

setup: $(INSTALLED) ## set up .venv alone

repro: $(INSTALLED) ## run the experiment
	$(ACTIVATE) && dvc repro

test: $(INSTALLED) ## run the tests
	$(ACTIVATE) && pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

report: $(INSTALLED) ## write metrics/full_report.html, with timings, pictures of the worst errors and the pages of further pipelines
	$(ACTIVATE) && python src/report.py

table: $(INSTALLED) ## print a row for each experiment, with the parameters that differ
	$(ACTIVATE) && python src/table.py

ablation: $(INSTALLED) ## compare four altered copies of each training image with none
	$(ACTIVATE) && python src/sweep.py --name ablation -S augment.copies=4,0

seeds: $(INSTALLED) ## mean and deviation of each metric over five trainings
	$(ACTIVATE) && python src/sweep.py --name seeds -S train.seed=1,2,3,4,5

modern: $(INSTALLED) ## run the experiment by the modern recipe
	$(ACTIVATE) && dvc exp run $(MODERN) $(ARGS)

recipe: $(INSTALLED) ## take each piece of the modern recipe away in turn
	$(ACTIVATE) && python src/recipe.py $(MODERN) $(ARGS)

folds: $(INSTALLED) ## cross-validate: train and evaluate once for each of FOLDS folds
	$(ACTIVATE) && python src/folds.py --folds $(FOLDS)

curve: $(INSTALLED) ## train on 1/8, 1/4, 1/2 and all of the training images
	$(ACTIVATE) && python src/curve.py

test-keras: $(INSTALLED) ## load and run saved models in older versions of Keras (installs them)
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/keras_versions.py

test-jax: $(INSTALLED) ## train on JAX, on several devices and by several processes too, and explain (installs it)
	$(ACTIVATE) && pip install --quiet --disable-pip-version-check jax==0.10.2
	$(ACTIVATE) && JAX_PLATFORMS=cpu PYTHONPATH=src:tests pytest tests/training_on_jax.py tests/ranks_on_jax.py
	$(ACTIVATE) && KERAS_BACKEND=jax PYTHONPATH=src:tests pytest tests/training/test_checkpoint.py -k goes_on
	$(ACTIVATE) && KERAS_BACKEND=jax PYTHONPATH=src:tests pytest tests/explanation/test_explainer.py

test-slurm: $(INSTALLED) ## train and sweep by a real Slurm on this machine (installs it and JAX; takes root and Debian)
	command -v slurmctld slurmd munged > /dev/null || \
		{ apt-get update --quiet --quiet && apt-get install --yes --quiet --quiet slurm-wlm munge; }
	$(ACTIVATE) && pip install --quiet --disable-pip-version-check jax==0.10.2 submitit==1.5.4
	$(ACTIVATE) && JAX_PLATFORMS=cpu PYTHONPATH=src:tests pytest tests/jobs_of_slurm.py

test-ray: $(INSTALLED) ## train and sweep by Ray on this machine (installs it and JAX)
	$(ACTIVATE) && pip install --quiet --disable-pip-version-check "ray[train]==2.60.0" jax==0.10.2
	$(ACTIVATE) && JAX_PLATFORMS=cpu PYTHONPATH=src:tests pytest tests/tasks_of_ray.py

test-timm: $(INSTALLED) ## bring weights from timm as docs/recipe.md says (installs it and PyTorch: 5 GB)
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/timm_weights.py

test-browser: $(INSTALLED) ## run the page of docs/export.md in headless Chromium (installs it, and takes onnxruntime-web from npm)
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/browser_export.py

test-hour: $(INSTALLED) ## predict a video of an hour: flat memory, and the same rows after a kill (about 10 minutes)
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/hour_video.py

test-optuna: $(INSTALLED) ## run the Optuna search of docs/experiments.md, which prunes (installs Optuna)
	$(ACTIVATE) && pip install --quiet --disable-pip-version-check optuna==5.0.0
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/optuna_search.py

test-share: $(INSTALLED) ## run the commands of docs/sharing.md against an S3 server on this machine (installs it)
	$(ACTIVATE) && pip install --quiet --disable-pip-version-check \
		"dvc[s3]==3.67.1" "moto[s3]==5.2.5" flask==3.1.3 flask-cors==6.0.5
	$(ACTIVATE) && PYTHONPATH=src:tests pytest tests/sharing/round_trip.py

test-intervals: $(INSTALLED) ## measure how often the 95 % intervals hold the true value: about 2 minutes on two cores
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/interval_coverage.py

chaos: $(INSTALLED) ## kill the pipeline at random moments and compare what it ends with
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/chaos.py

fuzz: $(INSTALLED) ## feed altered files for ten minutes to what reads a stranger's files
	$(ACTIVATE) && pip install --quiet --disable-pip-version-check atheris==3.0.0
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/fuzz/run.py

bench: $(INSTALLED) ## compare our speed with what one would run otherwise
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/benchmarks/run.py

bench-scale: $(INSTALLED) ## measure the stages as the dataset grows
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/benchmarks/scale.py

bench-duplicates: $(INSTALLED) ## measure which copies of the photographs in FACES are found
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/benchmarks/duplicates.py $(FACES)

bench-layouts: $(INSTALLED) ## list, label and split 100,000 items in each layout; fails over 10 s or 500 MB
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/benchmarks/layouts.py

bench-ranks: $(INSTALLED) ## measure memory and disk of each process of a training on JAX (installs it)
	$(ACTIVATE) && pip install --quiet --disable-pip-version-check jax==0.10.2
	$(ACTIVATE) && JAX_PLATFORMS=cpu PYTHONPATH=src:tests python tests/benchmarks/ranks_memory.py

bench-scenes: $(INSTALLED) ## measure MODEL on drawn people in scenes, found by the detector, against their true squares
	$(ACTIVATE) && PYTHONPATH=src:tests python tests/benchmarks/scenes_table.py $(MODEL)

picture: $(INSTALLED) ## draw the README's picture from the run in metrics/
	$(ACTIVATE) && python src/picture.py

lint: $(INSTALLED) ## check style, types, what imports what, and the limits of the house
	$(ACTIVATE) && ruff check . && ruff format --check . && mypy && PYTHONPATH=src lint-imports && python tests/limits.py

format: $(INSTALLED) ## bring the code into style
	$(ACTIVATE) && ruff check --fix . && ruff format .

lock: ## resolve pyproject.toml into requirements.txt (needs uv)
	uv pip compile pyproject.toml -o requirements.txt --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header

$(INSTALLED): requirements.txt requirements-detector.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		--requirement requirements-detector.txt
	touch $@
