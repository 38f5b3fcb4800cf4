insert into corpus.mention (doc_id, start_char, end_char, text, label, entity_id)
select
    n.doc_id,
    n.start_char,
    n.end_char,
    n.text,
    n.label,
    n.entity_id
from staged_mention as n
order by n.doc_id, n.start_char, n.end_char, n.label
on conflict (doc_id, start_char, end_char, label) do nothing;
