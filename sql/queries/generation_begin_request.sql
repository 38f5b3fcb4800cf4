insert into ops.llm_request (request_id, item_id, part)
values (%(request_id)s, %(item_id)s, %(part)s)
on conflict (request_id) do nothing
