FROM python:3.13-slim

# A user of its own, and a folder for its keys that it owns: a volume mounted there starts with these rights.
RUN useradd --system --create-home --uid 10001 ledger && install --directory --owner=ledger --mode=0700 /keys

WORKDIR /app

# The dependencies first: they change less often than the code, so their layer is made again less often.
COPY requirements/run.lock requirements/
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement requirements/run.lock

COPY . .

USER ledger
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1
ENTRYPOINT ["python", "-m", "adapters.cli"]
