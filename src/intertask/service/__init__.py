"""The live service: events in, recommendations out, models published and taken back.

    supervisor.py   starts and watches the processes; imports no torch
    store.py        the one process that writes SQLite; with PostgreSQL there is none
    worker.py       answers HTTP, two of them by default
    commands.py     everything that can be written, each one a typed message
    database.py     one small seam, sqlite.py and postgresql.py behind it
    engine.py       models in memory, requests gathered into batches
    registry.py     the models' folders, which are only ever added

Needs `pip install "intertask[serve]"`.
"""
