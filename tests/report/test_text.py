"""The text report, as people read it, where not one session fits."""

from xlsizing.core import Catalogs, size
from xlsizing.language import ENGLISH
from xlsizing.page import plain_text
from xlsizing.report.text import sizing_page

NOTHING_FITS = """\
gpt-oss-120b on 8x-l40s, storage profile_cloud_premium
10 sessions of 131,072 tokens (999,999 asked for), KV cache in bf16

Nodes final             none fits
  minimum               none fits
  with headroom         none fits           headroom 0.2
  high availability     none
Sessions per node       0                   Low
KV cache per session    4.5044 GiB          Large
KV cache in total       0.0440 TiB
Concurrency             10                  Low
Context held            131,072 tokens      Long

How it comes about
  KV bytes per session  4,836,556,800
  HBM per node          359.91 GiB          8 GPUs x 46,068 MiB, as the driver reports
  KV budget per node    1.93 GiB            359.91 x 0.7 - 250
  Weights               60.77 GiB of the 357.97 GiB beside the KV budget

Engine bound, tensor parallel 2: 4 replicas a node
                                  planning     steady decode      engine bound
  KV per session                4.5044 GiB        4.5049 GiB        5.0674 GiB
  Sessions per node                      0                 8                 8
  Nodes final                    none fits                 2                 2
  One GPU               44.7 GiB: weights 30.4, KV cache 6.8, activation 3.0, runtime 1.0, unused 3.6

Alerts
  error    HBM_BUDGET_INSUFFICIENT
           One session of gpt-oss-120b needs 4.50 GiB of KV cache, but the KV budget of one 8x-l40s node is 1.93 GiB: 2.57 GiB (2,759,537,460 bytes) too little.
           What to do: One session fits with any one of these: kv_budget_ratio of at least 0.7072; runtime_overhead_gib of at most 247.42; effective_context of at most 56,214; a node with at least 363.58 GiB of HBM.
  warning  CONTEXT_CLAMPED
           A context of 999,999 tokens was asked for; gpt-oss-120b supports 131,072, so it is clamped to 131,072.
           What to do: Plan with the model's longest context or less, or choose a model that supports more.
"""


def test_the_report_where_nothing_fits(catalogs: Catalogs) -> None:
    result = size(
        catalogs.model("gpt-oss-120b"),
        catalogs.server("8x-l40s"),
        catalogs.profile("profile_cloud_premium"),
        concurrency=10,
        effective_context=999_999,
        kv_precision="bf16",
        runtime_overhead_gib=250,
    )
    lines = NOTHING_FITS.splitlines()
    assert plain_text(sizing_page(result), ENGLISH).splitlines()[: len(lines)] == lines
