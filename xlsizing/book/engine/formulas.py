"""The engine bound as Excel text, beside the planning method's.

How an engine cuts its memory into blocks depends on the model, the KV precision and the
tensor-parallel size alone; the sheet Layouts holds that, one row a case. What the
formulas here add is everything that a person changes: context, batches, memory, load.
"""

from xlsizing.book.expressions import COUNT, Formula, in_parts, model, server, whole_number

AUTOMATIC = "0"
"""What a typed tensor-parallel size counts as where none was typed."""

SETTINGS: tuple[Formula, ...] = (
    Formula(
        "TokensInFlight",
        "Tokens in flight",
        "tokens",
        'IF(TRIM(Input_MaxNumBatchedTokens)="",Default_MaxNumBatchedTokens,'
        f"{whole_number('Input_MaxNumBatchedTokens')})"
        '*IF(TRIM(Input_BatchesInFlight)="",Default_BatchesInFlight,'
        f"{whole_number('Input_BatchesInFlight')})",
        COUNT,
    ),
    Formula(
        "StatesPerRequest",
        "States per request",
        "states",
        'IF(TRIM(Input_StateCaching)="",1,IFERROR(INDEX(StateCachings[States],'
        "MATCH(TRIM(Input_StateCaching),StateCachings[State caching],0)),#VALUE!))",
        COUNT,
    ),
    Formula(
        "UtilizationParts",
        "GPU memory utilisation in parts",
        "ten-thousandths",
        in_parts(
            "Input_GpuMemoryUtilization",
            "Default_GpuMemoryUtilization",
            "Const_RatioParts",
            "Input_GpuMemoryUtilization>0,Input_GpuMemoryUtilization<=1",
        ),
        COUNT,
    ),
    *(
        Formula(
            f"{name}Bytes",
            f"{label} bytes per GPU",
            "bytes",
            "ROUND("
            + in_parts(
                f"Input_{name}GiB",
                f"Default_{name}GiB",
                "Const_RatioParts",
                f"Input_{name}GiB>=0,Input_{name}GiB<=Limit_GpuGiB",
            )
            + "/Const_RatioParts*Const_BytesPerGiB,0)",
            COUNT,
        )
        for name, label in (("Activation", "Activation"), ("Runtime", "Runtime"))
    ),
    Formula(
        "GivenPoolBytes",
        "KV pool bytes per GPU, where given",
        "bytes",
        'IF(TRIM(Input_KvPoolGiB)="","",ROUND('
        + in_parts(
            "Input_KvPoolGiB",
            "0",
            "Const_RatioParts",
            "Input_KvPoolGiB>=0,Input_KvPoolGiB<=Limit_GpuGiB",
        )
        + "/Const_RatioParts*Const_BytesPerGiB,0))",
        COUNT,
    ),
)
"""What the settings on Engine come to; the same for every load."""


def _layout(column: str) -> str:
    return f"INDEX(Layouts[{column}],{{LayoutRow}})"


def _request_blocks(in_flight: str) -> str:
    """Blocks of one request: those of full and latent, of windowed, and of state layers."""
    windowed = (
        f"{_layout('Windowed groups')}*(-INT(-MIN({_layout('Window reach')}+{in_flight},"
        f"{{ClampedContext}})/{_layout('Windowed block')})+{_layout('Window blocks more')})"
    )
    return (
        f"{_layout('Full groups')}*-INT(-{{ClampedContext}}/{_layout('Full block')})"
        f"+{windowed}+{_layout('State groups')}*Engine_StatesPerRequest"
    )


# The same for all rows of Layouts at once, of which the load's own key picks a few. SUM makes a
# number of a cell: not every program computes a cell with a column otherwise.
_CONTEXT = "SUM({ClampedContext})"
_BLOCKS_OF_ALL = (
    f"(Layouts[Full groups]*-INT(-{_CONTEXT}/Layouts[Full block])"
    f"+Layouts[Windowed groups]*(-INT(-MIN({{WindowReach}}+Engine_TokensInFlight,{{ClampedContext}})"
    "/Layouts[Windowed block])+Layouts[Window blocks more])"
    "+Layouts[State groups]*SUM(Engine_StatesPerRequest))"
)
_POOL_OF_ALL = "(SUM({PoolBeforeWeights})+INT(-SUM({WeightsInPool})/Layouts[Tensor parallel]))"
_OWN_SIZES = '(Layouts[Key]={LayoutKey}&"")*(Layouts[Tensor parallel]<=SUM(' + server("GPUs") + "))"


_LARGEST_SIZE = f"SUMPRODUCT(MAX({_OWN_SIZES}*Layouts[Tensor parallel]))"


SETTINGS_WRONG = f"OR({','.join(f'ISERROR(Engine_{each.symbol})' for each in SETTINGS)})"
"""True where a setting on Engine is not accepted."""

MEMORY_UNKNOWN = f"NOT(N({server('Usable bytes per GPU')})>0)"
"""True where the server's row has no usable bytes, as one that was typed by hand."""

WEIGHTS_AND_POOL_UNKNOWN = "AND({WeightsInPool}=0,NOT(ISNUMBER(Engine_GivenPoolBytes)))"
"""True where neither the weights nor the pool is known."""


def _if_laid_out(text: str) -> str:
    # Nothing rather than an error: the status says what is missing.
    return f'IF({{LayoutRow}}>0,{text},"")'


def _nodes(sessions: str, *, headroom: bool) -> str:
    count = f"-INT(-{{Sessions}}/{sessions})"
    if headroom:
        count = (
            "IF({Sessions}*(Const_RatioParts+{HeadroomParts})>Limit_Exact,#VALUE!,"
            "-INT(-{Sessions}*(Const_RatioParts+{HeadroomParts})"
            f"/({sessions}*Const_RatioParts)))"
        )
    return f'IF(N({sessions})=0,"",{count})'


def _final(with_headroom: str) -> str:
    return f'IF({with_headroom}="","",{with_headroom}+{{SpareNodes}})'


_USABLE = server("Usable bytes per GPU")

ENGINE_STEPS: tuple[Formula, ...] = (
    Formula(
        "TypedTp",
        "Tensor parallel asked for",
        "GPUs",
        f'IF(TRIM({{TensorParallel}})="",{AUTOMATIC},{whole_number("{TensorParallel}")})',
        COUNT,
    ),
    Formula("LayoutKey", "Model and precision", "", model("Name") + '&"|"&{ElementBytes}'),
    Formula(
        "WindowReach",
        "Window reach",
        "tokens",
        "IFERROR(INDEX(Layouts[Window reach],MATCH({LayoutKey},Layouts[Key],0)),0)",
        COUNT,
    ),
    Formula(
        "WeightsInPool",
        "Weights that the pool is beside",
        "bytes",
        f"IF(ISNUMBER(Engine_GivenPoolBytes),0,{model('Engine weight bytes')}+0)",
        COUNT,
    ),
    Formula(
        "PoolBeforeWeights",
        "GPU memory for weights and KV caches",
        "bytes",
        "IF(ISNUMBER(Engine_GivenPoolBytes),Engine_GivenPoolBytes,"
        f"INT({_USABLE}/Const_RatioParts)*Engine_UtilizationParts"
        f"+INT(({_USABLE}-Const_RatioParts*INT({_USABLE}/Const_RatioParts))"
        "*Engine_UtilizationParts/Const_RatioParts)-Engine_ActivationBytes-Engine_RuntimeBytes)",
        COUNT,
    ),
    Formula(
        "SmallestShare",
        "1 / smallest size that holds a session",
        "",
        f"SUMPRODUCT(MAX({_OWN_SIZES}*({_POOL_OF_ALL}>=({_BLOCKS_OF_ALL}+1)"
        "*Layouts[Bytes per block])/Layouts[Tensor parallel]))",
        "0.0000",
    ),
    Formula(
        "WantedTp",
        "Tensor parallel asked for, or smallest",
        "GPUs",
        "IF({TypedTp}>0,{TypedTp},"
        f"IF({{SmallestShare}}>0,ROUND(1/{{SmallestShare}},0),{_LARGEST_SIZE}))",
        COUNT,
    ),
    Formula(
        "LayoutRow",
        "Layout row",
        "row",
        f"IF(OR({{WantedTp}}=0,{{WantedTp}}>{server('GPUs')},{SETTINGS_WRONG},"
        f"{MEMORY_UNKNOWN},{WEIGHTS_AND_POOL_UNKNOWN}),0,"
        'IFERROR(MATCH({LayoutKey}&"|"&{WantedTp},Layouts[Layout],0),0))',
        COUNT,
    ),
    Formula("EngineTp", "Tensor parallel used", "GPUs", _if_laid_out("{WantedTp}"), COUNT),
    Formula(
        "EngineWeights",
        "Weights per GPU",
        "bytes",
        _if_laid_out(
            f"IF({model('Engine weight bytes')}>0,"
            f'-INT(-{model("Engine weight bytes")}/{{EngineTp}}),"")'
        ),
        COUNT,
    ),
    Formula(
        "EnginePool",
        "KV pool per GPU",
        "bytes",
        _if_laid_out("{PoolBeforeWeights}+INT(-{WeightsInPool}/{EngineTp})"),
        COUNT,
    ),
    Formula(
        "NumBlocks",
        "Blocks in the pool",
        "blocks",
        _if_laid_out(f"MAX(0,INT({{EnginePool}}/{_layout('Bytes per block')}))"),
        COUNT,
    ),
    Formula(
        "EngineBlocks",
        "Blocks per request",
        "blocks",
        _if_laid_out(_request_blocks("Engine_TokensInFlight")),
        COUNT,
    ),
    Formula(
        "SteadyBlocks",
        "Blocks in steady decode",
        "blocks",
        _if_laid_out(_request_blocks("0")),
        COUNT,
    ),
    Formula(
        "ReplicasPerNode",
        "Replicas per node",
        "replicas",
        _if_laid_out(f"INT({server('GPUs')}/{{EngineTp}})"),
        COUNT,
    ),
)
"""The engine's intermediate figures, in the order in which they are taken."""

ENGINE_OUTPUTS: tuple[Formula, ...] = (
    Formula(
        "SteadyKvBytes",
        "Steady KV bytes per GPU",
        "bytes",
        _if_laid_out(f"{{SteadyBlocks}}*{_layout('Bytes per block')}"),
        COUNT,
    ),
    Formula(
        "SteadySessionsPerNode",
        "Steady sessions per node",
        "sessions",
        _if_laid_out("MAX(0,INT(({NumBlocks}-1)/{SteadyBlocks}))*{ReplicasPerNode}"),
        COUNT,
    ),
    Formula(
        "SteadyNodesMinimum",
        "Steady nodes minimum",
        "nodes",
        _nodes("{SteadySessionsPerNode}", headroom=False),
        COUNT,
    ),
    Formula(
        "SteadyNodesWithHeadroom",
        "Steady nodes with headroom",
        "nodes",
        _nodes("{SteadySessionsPerNode}", headroom=True),
        COUNT,
    ),
    Formula(
        "SteadyNodesFinal",
        "Steady nodes final",
        "nodes",
        _final("{SteadyNodesWithHeadroom}"),
        COUNT,
    ),
    Formula(
        "EngineKvBytes",
        "Engine KV bytes per GPU",
        "bytes",
        _if_laid_out(f"{{EngineBlocks}}*{_layout('Bytes per block')}"),
        COUNT,
    ),
    Formula(
        "EngineSessionsPerNode",
        "Engine sessions per node",
        "sessions",
        _if_laid_out("MAX(0,INT(({NumBlocks}-1)/{EngineBlocks}))*{ReplicasPerNode}"),
        COUNT,
    ),
    Formula(
        "EngineNodesMinimum",
        "Engine nodes minimum",
        "nodes",
        _nodes("{EngineSessionsPerNode}", headroom=False),
        COUNT,
    ),
    Formula(
        "EngineNodesWithHeadroom",
        "Engine nodes with headroom",
        "nodes",
        _nodes("{EngineSessionsPerNode}", headroom=True),
        COUNT,
    ),
    Formula(
        "EngineNodesFinal",
        "Engine nodes final",
        "nodes",
        _final("{EngineNodesWithHeadroom}"),
        COUNT,
    ),
    Formula(
        "KvCopies",
        "GPUs that hold the same KV cache",
        "GPUs",
        _if_laid_out(_layout("KV copies")),
        COUNT,
    ),
)
"""What the engine promises, once prefills are over and while they run."""
