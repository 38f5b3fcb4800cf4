select
    c.day,
    c.task,
    c.model,
    c.source,
    sum(c.calls) as calls,
    sum(c.unanswered) as unanswered,
    sum(c.prompt_tokens) as prompt_tokens,
    sum(c.cached_tokens) as cached_tokens,
    sum(c.completion_tokens) as completion_tokens,
    sum(c.cost_usd) as cost_usd
from `{dataset}.llm_cost` as c
group by c.day, c.task, c.model, c.source
