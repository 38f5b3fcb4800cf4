select
    a.answer_id,
    a.conversation_id,
    a.user_name,
    a.style,
    a.model,
    a.prompt_version,
    a.prompt_tokens,
    a.refused,
    a.degraded,
    a.created_at,
    a.documents
from serving.answer as a
where a.answer_id = %(identity)s;
