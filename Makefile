# Every word a person needs; CI calls the same ones. `make help` lists them.
.DEFAULT_GOAL := help
STACK := .venv/bin/python -m ems_stack
PROVE := .venv/bin/python -m ems_prove

.PHONY: help setup up down reset dev logs status test check prove bench gen lock

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Python environment and web packages, exactly as locked
	@stack/setup.sh

up: setup ## Start everything in the background; ends with the addresses and logins (EMS_DEMO=0: without demo data)
	@$(STACK) up

down: setup ## Stop everything; the data stays
	@$(STACK) down

reset: setup ## Stop everything and delete the data (asks; FORCE=1 does not)
	@$(STACK) reset

dev: setup ## The same stack in the foreground, with live reload
	@$(STACK) dev

logs: setup ## Follow the logs of all services, or of one: make logs S=historian
	@$(STACK) logs $(S)

status: setup ## Which services run
	@$(STACK) status

test: setup ## All tests, with the browser's
	@$(STACK) test

check: setup ## Style, types, import rules, drift of generated files
	@$(STACK) check

prove: setup ## The promises as experiments on the real stack: make prove [NAME=live-latency]
	@$(PROVE) run $(NAME)

bench: setup ## Side-by-side comparisons
	@$(STACK) services -- .venv/bin/python bench/history_ingest.py
	@.venv/bin/python bench/realtime_fanout.py

gen: setup ## Write what is generated: JSON Schema, OpenAPI, AsyncAPI, TypeScript types
	@$(STACK) gen

lock: setup ## Compile requirements/*.txt from the rooms' pyproject.toml
	@$(STACK) lock
