"""A plugin for lmms-eval, the paper's own harness: LMMS_EVAL_PLUGINS=scissor.bench.lmms.

Knows nothing itself: models/ registers the compressed models, runner.py makes them answer, tasks/
adds none. lmms-eval is imported only by models/scissor.py, which lmms-eval itself imports.
"""
