"""The engine bound as Excel text, beside the planning method's.

How an engine cuts its memory into blocks depends on the model, the KV precision and the
tensor-parallel size alone; the sheet Layouts holds that, one row a case. What the
formulas here add is everything that a person changes: context, batches, memory, load.
"""

from xlsizing.book.expressions import COUNT, Formula, in_parts, model, server, whole_number
from xlsizing.core.message import Message

AUTOMATIC = "0"
"""What a typed tensor-parallel size counts as where none was typed."""

SETTINGS: tuple[Formula, ...] = (
    Formula(
        "TokensInFlight",
        Message("Tokens in flight"),
        "tokens",
        'IF(TRIM(Input_MaxNumBatchedTokens)="",Default_MaxNumBatchedTokens,'
        f"{whole_number('Input_MaxNumBatchedTokens')})"
        '*IF(TRIM(Input_BatchesInFlight)="",Default_BatchesInFlight,'
        f"{whole_number('Input_BatchesInFlight')})",
        COUNT,
    ),
    Formula(
        "StatesPerRequest",
        Message("States per request"),
        Message("states"),
        'IF(TRIM(Input_StateCaching)="",1,IFERROR(INDEX(StateCachings[States],'
        "MATCH(TRIM(Input_StateCaching),StateCachings[State caching],0)),#VALUE!))",
        COUNT,
    ),
    Formula(
        "UtilizationParts",
        Message("GPU memory utilisation in parts"),
        Message("ten-thousandths"),
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
            label,
            Message("bytes"),
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
        for name, label in (
            ("Activation", Message("Activation bytes per GPU")),
            ("Runtime", Message("Runtime bytes per GPU")),
        )
    ),
    Formula(
        "GivenPoolBytes",
        Message("KV pool bytes per GPU, where given"),
        Message("bytes"),
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
        Message("Tensor parallel asked for"),
        "GPUs",
        f'IF(TRIM({{TensorParallel}})="",{AUTOMATIC},{whole_number("{TensorParallel}")})',
        COUNT,
    ),
    Formula("LayoutKey", Message("Model and precision"), "", model("Name") + '&"|"&{ElementBytes}'),
    Formula(
        "WindowReach",
        Message("Window reach"),
        "tokens",
        "IFERROR(INDEX(Layouts[Window reach],MATCH({LayoutKey},Layouts[Key],0)),0)",
        COUNT,
    ),
    Formula(
        "WeightsInPool",
        Message("Weights that the pool is beside"),
        Message("bytes"),
        f"IF(ISNUMBER(Engine_GivenPoolBytes),0,{model('Engine weight bytes')}+0)",
        COUNT,
    ),
    Formula(
        "PoolBeforeWeights",
        Message("GPU memory for weights and KV caches"),
        Message("bytes"),
        "IF(ISNUMBER(Engine_GivenPoolBytes),Engine_GivenPoolBytes,"
        f"INT({_USABLE}/Const_RatioParts)*Engine_UtilizationParts"
        f"+INT(({_USABLE}-Const_RatioParts*INT({_USABLE}/Const_RatioParts))"
        "*Engine_UtilizationParts/Const_RatioParts)-Engine_ActivationBytes-Engine_RuntimeBytes)",
        COUNT,
    ),
    Formula(
        "SmallestShare",
        Message("1 / smallest size that holds a session"),
        "",
        f"SUMPRODUCT(MAX({_OWN_SIZES}*({_POOL_OF_ALL}>=({_BLOCKS_OF_ALL}+1)"
        "*Layouts[Bytes per block])/Layouts[Tensor parallel]))",
        "0.0000",
    ),
    Formula(
        "WantedTp",
        Message("Tensor parallel asked for, or smallest"),
        "GPUs",
        "IF({TypedTp}>0,{TypedTp},"
        f"IF({{SmallestShare}}>0,ROUND(1/{{SmallestShare}},0),{_LARGEST_SIZE}))",
        COUNT,
    ),
    Formula(
        "LayoutRow",
        Message("Layout row"),
        Message("row"),
        f"IF(OR({{WantedTp}}=0,{{WantedTp}}>{server('GPUs')},{SETTINGS_WRONG},"
        f"{MEMORY_UNKNOWN},{WEIGHTS_AND_POOL_UNKNOWN}),0,"
        'IFERROR(MATCH({LayoutKey}&"|"&{WantedTp},Layouts[Layout],0),0))',
        COUNT,
    ),
    Formula("EngineTp", Message("Tensor parallel used"), "GPUs", _if_laid_out("{WantedTp}"), COUNT),
    Formula(
        "EngineWeights",
        Message("Weights per GPU"),
        Message("bytes"),
        _if_laid_out(
            f"IF({model('Engine weight bytes')}>0,"
            f'-INT(-{model("Engine weight bytes")}/{{EngineTp}}),"")'
        ),
        COUNT,
    ),
    Formula(
        "EnginePool",
        Message("KV pool per GPU"),
        Message("bytes"),
        _if_laid_out("{PoolBeforeWeights}+INT(-{WeightsInPool}/{EngineTp})"),
        COUNT,
    ),
    Formula(
        "NumBlocks",
        Message("Blocks in the pool"),
        Message("blocks"),
        _if_laid_out(f"MAX(0,INT({{EnginePool}}/{_layout('Bytes per block')}))"),
        COUNT,
    ),
    Formula(
        "EngineBlocks",
        Message("Blocks per request"),
        Message("blocks"),
        _if_laid_out(_request_blocks("Engine_TokensInFlight")),
        COUNT,
    ),
    Formula(
        "SteadyBlocks",
        Message("Blocks in steady decode"),
        Message("blocks"),
        _if_laid_out(_request_blocks("0")),
        COUNT,
    ),
    Formula(
        "ReplicasPerNode",
        Message("Replicas per node"),
        Message("replicas"),
        _if_laid_out(f"INT({server('GPUs')}/{{EngineTp}})"),
        COUNT,
    ),
)
"""The engine's intermediate figures, in the order in which they are taken."""

ENGINE_OUTPUTS: tuple[Formula, ...] = (
    Formula(
        "SteadyKvBytes",
        Message("Steady KV bytes per GPU"),
        Message("bytes"),
        _if_laid_out(f"{{SteadyBlocks}}*{_layout('Bytes per block')}"),
        COUNT,
    ),
    Formula(
        "SteadySessionsPerNode",
        Message("Steady sessions per node"),
        Message("sessions"),
        _if_laid_out("MAX(0,INT(({NumBlocks}-1)/{SteadyBlocks}))*{ReplicasPerNode}"),
        COUNT,
    ),
    Formula(
        "SteadyNodesMinimum",
        Message("Steady nodes minimum"),
        Message("nodes"),
        _nodes("{SteadySessionsPerNode}", headroom=False),
        COUNT,
    ),
    Formula(
        "SteadyNodesWithHeadroom",
        Message("Steady nodes with headroom"),
        Message("nodes"),
        _nodes("{SteadySessionsPerNode}", headroom=True),
        COUNT,
    ),
    Formula(
        "SteadyNodesFinal",
        Message("Steady nodes final"),
        Message("nodes"),
        _final("{SteadyNodesWithHeadroom}"),
        COUNT,
    ),
    Formula(
        "EngineKvBytes",
        Message("Engine KV bytes per GPU"),
        Message("bytes"),
        _if_laid_out(f"{{EngineBlocks}}*{_layout('Bytes per block')}"),
        COUNT,
    ),
    Formula(
        "EngineSessionsPerNode",
        Message("Engine sessions per node"),
        Message("sessions"),
        _if_laid_out("MAX(0,INT(({NumBlocks}-1)/{EngineBlocks}))*{ReplicasPerNode}"),
        COUNT,
    ),
    Formula(
        "EngineNodesMinimum",
        Message("Engine nodes minimum"),
        Message("nodes"),
        _nodes("{EngineSessionsPerNode}", headroom=False),
        COUNT,
    ),
    Formula(
        "EngineNodesWithHeadroom",
        Message("Engine nodes with headroom"),
        Message("nodes"),
        _nodes("{EngineSessionsPerNode}", headroom=True),
        COUNT,
    ),
    Formula(
        "EngineNodesFinal",
        Message("Engine nodes final"),
        Message("nodes"),
        _final("{EngineNodesWithHeadroom}"),
        COUNT,
    ),
    Formula(
        "KvCopies",
        Message("GPUs that hold the same KV cache"),
        "GPUs",
        _if_laid_out(_layout("KV copies")),
        COUNT,
    ),
)
"""What the engine promises, once prefills are over and while they run."""
