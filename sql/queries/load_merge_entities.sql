insert into corpus.entity (entity_id, label, name)
select distinct on (m.entity_id)
    m.entity_id,
    m.label,
    m.name
from staged_mention as m
order by m.entity_id, m.name
on conflict (entity_id) do nothing;
