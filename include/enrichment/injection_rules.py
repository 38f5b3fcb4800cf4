"""The table of rules by which injected instructions are found.

Patterns are matched against one folded sentence: case-folded, NFKC, one space between words,
straight quotes, nothing invisible. They hold bounded gaps and no nested repetition, so each takes
time linear in the sentence. ``needs`` are literals of which one must occur before a pattern is
tried at all.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Rule(NamedTuple):
    """One way of giving orders to a model: its kind, its name, and how it is recognised."""

    kind: str
    name: str
    needs: tuple[str, ...]
    pattern: re.Pattern[str]


def _rule(kind: str, name: str, needs: str, pattern: str) -> Rule:
    return Rule(kind, name, tuple(needs.split("|")), re.compile(pattern))


# Where an imperative begins: the sentence, a clause, or after words that order or ask.
_ORDER = (
    r"(?:^|[.!?:;,\"'(\[{*#>`\-|]\s?|\b(?:please|now|and|then|must|should|shall|just|so|but|first|"
    r"you (?:will|are to|need to|have to|may|can)|i want you to|(?:want|need|ask|order|command|"
    r"instruct|require|tell)(?:s|ed|ing)? you to|your (?:new )?task is to|to you:?|immediately|"
    r"instead|simply|completely|always|from now on|hello|hi|hey|assistant|ai|chatgpt|gpt-?\d?|"
    r"claude|gemini|copilot|bot|clyde|important|urgent|attention|note|system|user|admin)\s)"
)
_AI = (
    r"(?:an? ai\b|\bais?\b|artificial intelligence|\bllms?\b|language models?|chat ?bots?|"
    r"chat ?-?gpt\w*|\bgpt(?:-?\d\w*)?\b|open ?ai|\bclaude\b|\bgemini\b|\bllama\b|\bcopilot\b|"
    r"\bdan\b|jailbr\w+|virtual assistant|ai assistant|ai model)"
)
_EARLIER = (
    r"(?:previous(?:ly)?|prior|above|earlier|preceding|foregoing|former|existing|original|initial|"
    r"old|past|before|so far|received|been given|were given|got|system|developer|programmed|"
    r"hidden|safety|content|openai'?s?)"
)
_ORDERS = (
    r"(?:instructions?|prompts?|rules?|guidelines?|directions?|directives?|commands?|orders|context|"
    r"programming|training|restrictions?|constraints?|safeguards?|polic(?:y|ies)|filters?|"
    r"protocols?|ethics|messages?|conversations?|moderation|tasks?|assignments?|inputs?|texts?|answers?)"
)
_DISMISS = (
    r"(?:ignore|disregard|forget|override|overrule|bypass|discard|neglect|drop|erase|"
    r"do not (?:follow|obey|listen to|comply with|adhere to)|"
    r"don't (?:follow|obey|listen to|comply with|adhere to)|stop (?:following|obeying)|"
    r"pay no attention to|set aside|cancel|void)"
)

_OVERRIDE = [
    _rule(
        "override", "dismiss_earlier_orders",
        "ignor|disregard|forget|overr|bypass|discard|neglect|drop|erase|follow|obey|listen|comply|"
        "adhere|attention|aside|cancel|void",
        rf"{_ORDER}{_DISMISS}\s(?:\S{{1,20}}\s){{0,5}}?{_EARLIER}[\s,](?:\S{{1,20}}\s){{0,3}}?{_ORDERS}\b",
    ),
    _rule(
        "override", "dismiss_orders_given",
        "ignor|disregard|forget|overr|discard",
        rf"{_ORDER}{_DISMISS}\s(?:all |any |every |everything |the |of |these |those |your |my |our )"
        rf"{{0,4}}{_ORDERS}\s(?:\S{{1,20}}\s){{0,4}}?(?:you (?:got|have|had|were|received|know)|"
        r"given|before|above|so far|until now|up to now|prior|previously|and (?:do|say|act|tell|"
        r"instead|reply|respond|answer|output|print|reveal|follow))\b",
    ),
    _rule(
        "override", "dismiss_your_orders",
        "ignor|disregard|forget|overr|bypass|stop|discard|follow|obey",
        rf"{_ORDER}{_DISMISS}\s(?:all |any |of ){{0,3}}your\s(?:\S{{1,20}}\s){{0,3}}?"
        r"(?:instructions|programming|training|guidelines|prompts?|directives|rules|safeguards|"
        r"restrictions|filters|constraints)\b",
    ),
    _rule(
        "override", "forget_everything",
        "forget|ignore|disregard",
        rf"{_ORDER}(?:forget|ignore|disregard) (?:about )?(?:everything|anything|all(?: of)? (?:that|this|"
        r"the text)|the (?:text|content|conversation)|what|the)\s(?:\S{1,20}\s){0,3}?(?:above|before|"
        r"prior|previous(?:ly)?|until now|so far|(?:you|i) (?:were|was|have been|had been|"
        r"said|told|just said)|(?:was|been) said)\b(?! (?:mentioned|section|table|figure))|"
        rf"{_ORDER}forget (?:about )?(?:all|everything|it all)(?: and| now| from|[,;:!.])\s?"
        r"(?:now|start|be|focus|do|say|act|you|let|we|write|tell|answer|begin|chat|this)\b",
    ),
    _rule(
        "override", "new_instructions",
        "new |updated |real |actual |override",
        r"(?:^|[.!?:;\"'(\[*#>\-]\s?)(?:your |the |here are (?:your )?|these are your |my )?"
        r"(?:new|updated|real|actual|true) (?:system )?(?:instructions?|prompt|directives?|task|"
        r"orders) (?:for you |now )?(?:is|are)\b[^.]{0,60}\b(?:to|as follows|you)\b|"
        r"\b(?:system|admin(?:istrator)?|developer|instruction|security|safety|policy) override\b"
        r"\s?(?:[:!\]\-]|(?:mode |code )?(?:is )?(?:enabled|activated|engaged|accepted|initiated))",
    ),
    _rule(
        "override", "no_rules_bind_you",
        "no longer|free of|freed from|unbound|not bound|do anything now|without any|no restrictions|"
        "never refuse|cannot refuse|can't refuse|not refuse",
        rf"\byou (?:are|have|no longer have|do not have|don't have)\b[^.!?]{{0,60}}\b(?:no longer (?:bound|"
        r"restricted|limited|governed|have to)|free (?:of|from) (?:all|any|the|your|typical|its)|"
        r"(?:been )?freed from|not bound|no restrictions|unbound)\b|"
        r"\byou no longer (?:have to|need to|must|are) (?:\S{1,20}\s){0,4}?(?:follow|obey|adhere|"
        r"comply|restricted|bound)|\bdo anything now\b|\byou (?:will|must|can|shall) (?:never|not) "
        rf"refuse\b|{_ORDER}never refuse (?:to answer|to respond|any|a (?:request|prompt|question))",
    ),
]  # fmt: skip

_ROLE = [
    _rule(
        "role", "you_are_now_an_ai",
        "you are |you're |you will |you act|you be|your name|you go by",
        r"\b(?:you are now|you're now|you are no longer|you're no longer|from now on,? you|"
        r"you will now|you are going to (?:act|pretend|be|play|role|imitate|simulate|respond|behave|"
        r"become|take)|you will (?:act|pretend|play|role|simulate|immerse|be acting)|"
        rf"you are about to (?:immerse|become|act|be)|you are to act)\b[^.!?]{{0,120}}?{_AI}",
    ),
    _rule(
        "role", "you_are_now_a_character",
        "you are now|you're now|you will now be|now act as|you now act",
        r"^\W{0,5}(?:\w{1,12}[,:.]? ){0,3}?(?:you are now|you're now|you will now be|now,? (?:you )?act as)\s"
        r"(?:in the role of\b|free\b[.!]?$|(?:\w{1,16} ){1,8}?(?:character|persona|entity|robot|evil|villain|"
        r"(?:who|that|which) (?:always|never|will|answers|does|can|has)|named|called)\b)",
    ),
    _rule(
        "role", "unfiltered_being",
        "amoral|unfiltered|ethical or moral|moral or ethical",
        r"\b(?:amoral|unfiltered)\b,? (?:\w{1,14},? ){0,3}?(?:ai|chat ?bot|assistant|bot|character|entity|"
        r"language model|gpt|being|response)s?\b|\b(?:no|not have any|n't have any|without any|doesnt have any) "
        r"(?:ethical (?:or|and) moral|moral (?:or|and) ethical) (?:guidelines|restrictions|principles|filters)",
    ),
    _rule(
        "role", "every_prompt_i_give",
        "prompt|question|request|message",
        r"\b(?:respond|reply|answer)\w{0,3}\s(?:to )?(?:every|all|each|any) (?:of )?(?:the |my )?(?:prompts?|"
        r"questions?|requests?|messages?) (?:that )?i (?:give|send|ask|type|write|make)\b",
    ),
    _rule(
        "role", "you_are_an_unbound_character",
        "you are |you're |you have |you will |you do ",
        r"\byou(?:'re| are| will| have| do)\b[^.!?]{0,80}\b(?:unfiltered|uncensored|amoral|"
        r"unrestricted|no (?:\w{1,12} ){0,3}?(?:filters?|restrictions|ethical|morals?|censorship)|"
        r"no content policy|(?:not|never) (?:\w{1,12} ){0,3}?(?:ethic|moral|legality|censor))",
    ),
    _rule(
        "role", "act_as_ai",
        "act as|pretend|role|imagine|simulat|imitat|transform|immerse|embody|persona",
        rf"{_ORDER}(?:act(?:ing)? as|pretend (?:to be|that you|you)|role-? ?play(?:ing)? as|imagine (?:that )?you|"
        r"simulate|imitate|transform (?:yourself )?into|immerse yourself (?:in|into)|embody|"
        rf"take on the (?:role|persona)|adopt the (?:role|persona))\b[^.!?]{{0,100}}?{_AI}",
    ),
    _rule(
        "role", "i_want_you_to_act",
        "you to act|you to pretend|you to role|you to play|you to imitate|you to simulate|"
        "you will act|you are going to act|going to pretend|you to become|you to respond as|"
        "you will be acting|going to roleplay|you act as",
        r"\b(?:i (?:want|need|would like|'d like|order|command) you to|you are (?:now )?going to|"
        r"from now on,? (?:\w{1,10} ){0,3}?you (?:will|must|shall|should|are to)|could you|can you|"
        r"in this (?:\w{1,14} ){0,3}?you (?:will|are to)) "
        r"(?:act|pretend|role-? ?play|play the (?:role|part)|imitate|simulate|become|be acting|"
        r"respond as)\b",
    ),
    _rule(
        "role", "from_now_on",
        "from now on|starting now|starting from now|for the rest of this|for this conversation|"
        "in all your|all your responses|all your answers|for all your",
        r"\b(?:from now on|starting (?:from )?now|for the rest of this (?:chat|conversation|session)|"
        r"for this conversation|(?:in|for) all (?:of )?your (?:responses|answers|prompts|replies|"
        r"messages))\b[^.!?]{0,50}\b(?:you(?:'ll| will| must| shall| should| are (?:to|going))|"
        r"respond|reply|answer|always|act|speak|pretend|prefix|output)\b",
    ),
    _rule(
        "role", "stay_in_character",
        "character|persona",
        rf"{_ORDER}(?:always |never |do not |don't |you |must ){{0,3}}(?:stay(?:s|ing)? in|stick to|remain in|keep|break|leave|"
        r"maintain)(?:ing)? (?:the |your |this |that )?(?:character|persona)\b(?! (?:set|encoding|limit|count))",
    ),
    _rule(
        "role", "special_mode",
        "mode|jailbr",
        r"\b(?:dan|developer|dev|jailbr\w{3,9}|god|evil|unrestricted|unfiltered|uncensored|opposite|"
        r"chaos|sudo|do anything|no[- ]limits) mode\b[^.!?]{0,40}\b(?:enabled|activated|on\b|engaged|"
        rf"output|unlocked|in which you)|\b(?:you are (?:now )?in|enter|activate|switch to|stay in|act as|"
        r"enable) (?:the )?(?:dan|jailbr\w{3,9}|god|evil|unrestricted|unfiltered|uncensored|"
        r"opposite|chaos) mode\b",
    ),
    _rule(
        "role", "reply_in_two_voices",
        "chatgpt:|gpt:|dan:|jailbreak|classic|both responses|two responses|two different|both as",
        r"\b(?:provide|give|generate|respond with|answer with|respond|answer|reply)\b[^.!?]{0,60}\b(?:two|both|2)\b"
        r"(?: different| separate)? (?:responses|answers|ways|outputs|paragraphs|as)\b|"
        r"\[?(?:chat)?gpt\]?:\s?[\[\"(&<][^.]{0,200}\b(?:dan|jailbr\w+|\[\w{2,20}\]):?",
    ),
]  # fmt: skip

_SYSTEM_PROMPT = [
    _rule(
        "system_prompt", "reveal_prompt",
        "prompt|instruction|message|rules|directive|configuration",
        rf"{_ORDER}(?:reveal|show|print|repeat|output|display|tell|give|leak|expose|write(?: out| down)?|"
        r"summarize|summarise|list|share|disclose|recite|copy|dump|return|paste|spell out|translate|"
        r"what (?:is|are|was|were))\s(?:me |us |out |back |verbatim |exactly ){0,3}(?:\S{1,15}\s){0,4}?"
        r"(?:(?:your|its) (?:\w{1,14} ){0,3}?(?:prompt|instructions|directives|system message|configuration)|"
        r"(?:the|this) (?:system|hidden|secret|initial|original|developer|pre-?) ?(?:prompt|instructions|message))\b"
        r"(?! (?:to|for) the (?:user|customer)s?\b)",
    ),
    _rule(
        "system_prompt", "repeat_above",
        "above|before this|previous|start of this|beginning of this",
        rf"{_ORDER}(?:repeat|print|output|copy|recite|echo|translate|rewrite|spell-?check)\s(?:\S{{1,12}}\s){{0,2}}?(?:the |all (?:the )?|every |each )?"
        r"(?:words?|text|everything|content|sentences?|lines?|tokens)\s(?:\S{1,15}\s){0,3}?"
        r"(?:above|before this|preceding this|prior to this|from the (?:start|beginning) of (?:this|the|our) (?:conversation|chat|prompt))",
    ),
]  # fmt: skip

_CHAT_TEMPLATE = [
    _rule(
        "chat_template", "special_token",
        "<|im_|<|system|<|user|<|assistant|<|start|<|end|<|eot|<|begin|[inst]|[/inst]|<<sys>>|"
        "<start_of_turn>|<end_of_turn>|<\uff5c",
        r"<\|(?:im_(?:start|end|sep)|system|user|assistant|start_header_id|end_header_id|eot_id|endoftext|"
        r"endofprompt|end|begin_of_text|end_of_text|startoftext|start|channel|message)\|>|\[/?inst\]|<</?sys>>|"
        r"<(?:start|end)_of_turn>",
    ),
    _rule(
        "chat_template", "role_header",
        "#system|# system|# instruction|# assistant|# human|[system|<system|</system|system prompt|"
        "system message|# new",
        r"^#{2,4} ?(?:system(?: prompt| message)?|instructions?|assistant|human)\s?:(?!\w)|^\[system(?:\]|\s?(?:message|prompt|note|override|instruction))"
        r"|</?system(?:_|-| )(?:prompt|message|instructions?)>|\bbegin (?:of )?(?:system|hidden) (?:prompt|message|instructions)\b|"
        r"^-{2,} ?(?:end|begin) (?:of )?(?:system |user )(?:prompt|message|instructions)",
    ),
]  # fmt: skip

_SECRETS = (
    r"(?:conversation|chat (?:history|log)|(?:previous|prior|earlier) messages|system prompt|"
    r"(?:the )?user(?:'?s)? (?:\w{1,12} ){0,2}?(?:data|details|password|name|email|e-mail|messages?|query|question|"
    r"input|information|credentials|address|history|secrets?)|"
    r"(?:all|any|their) (?:\w{1,12} ){0,2}?(?:api keys?|credentials|secrets|passwords)|"
    r"(?:everything|anything|all) you (?:know|remember)|context window|private (?:data|documents))"
)

_EXFILTRATION = [
    _rule(
        "exfiltration", "image_or_link_with_slot",
        "](http|src=",
        r"!?\[[^\]]{0,200}\]\(https?://[^\s)]{1,300}[?&/=](?:[^\s)]{0,100}=)?(?:\{|\[|<|%7b|%5b|\$\{|insert|your_|the_|user_|summary_|data_here)"
        r"[^\s)]{0,40}(?:conversation|chat|history|secret|prompt|data|password|message|query|summary|context|user|answer|token)",
    ),
    _rule(
        "exfiltration", "send_what_was_said",
        "conversation|chat|messages|system prompt|user|api key|credential|secret|you know|"
        "you remember|context|private",
        rf"{_ORDER}(?:send|post|forward|e?-?mail|append|include|embed|encode|upload|transmit|leak|exfiltrate|"
        rf"add|put|deliver|submit)\s(?:\S{{1,20}}\s){{0,4}}?{_SECRETS}\b[^!?]{{0,80}}?"
        r"(?:https?://|\burl\b|\b(?:image|img|link) (?:tag|source|src|url|markdown|below)|\bquery (?:string|parameter)|"
        r"\S{1,40}@\S{2,40}\.\w{2,8}\b|\bwebhook\b|\battacker\b)",
    ),
    _rule(
        "exfiltration", "render_image",
        "image|img|link|pixel",
        rf"{_ORDER}(?:render|display|include|insert|add|show|output|load|embed|print)\s(?:\S{{1,15}}\s){{0,5}}?"
        r"(?:image|img|link|pixel)\b[^!?]{0,60}https?://[^!?]{0,160}?(?:append|replac\w{2,5}|with the|where|containing|"
        r"conversation|encoded|summary|\{|%7b)",
    ),
]  # fmt: skip

_CONCEALMENT = [
    _rule(
        "concealment", "keep_from_user",
        "user|human|reader|anyone|operator",
        rf"(?:{_ORDER}(?:do not|don't|never)|\bwithout)\s(?:ever )?(?:tell|telling|inform|informing|alert|alerting|"
        r"let|letting|warn|warning|notify|notifying|mention|mentioning|reveal|revealing|say|disclose)\s"
        r"(?:\S{1,14}\s){0,6}?(?:the|your|this|any) (?:user|human|reader|operator)s?\b[^.!?]{0,40}?"
        r"(?:about (?:this|these|it|that|the (?:instruction|prompt|message))|of (?:this|these|it)\b|that (?:you|this|these)|"
        r"you (?:have|were|are|did)|know (?:about|that|you|this)|what you|why\b)",
    ),
    _rule(
        "concealment", "hide_this_text",
        "instruction|prompt|this message|this text|this note|injection|these rules|these orders",
        rf"{_ORDER}(?:do not|don't|never)\s(?:ever )?(?:mention|reveal|disclose|acknowledge|repeat|refer to|"
        r"discuss|show|admit)\s(?:\S{1,14}\s){0,3}?(?:this|these|that you|your|the existence of)\s(?:\S{1,14}\s){0,3}?"
        r"(?:instructions?|prompts?|message|text|note|injection|rules|orders|guidelines)\b",
    ),
    _rule(
        "concealment", "no_disclaimer",
        "i'm sorry|i am sorry|i apologi|as an ai|i cannot|i can't|disclaimer|warnings",
        rf"(?:{_ORDER}(?:do not|don't|never|not)|\b(?:you (?:will|must|should|can|shall) (?:not|never)|never|"
        r"do not|don't))\s(?:\w{1,12} ){0,5}?(?:say|respond|reply|send|use|start|include|contain|add|write|"
        r"give|mention|type|output)\w{0,3}\s(?:\S{1,16}\s){0,6}?[\"']?(?:i'm sorry|i am sorry|i apologi[sz]e|"
        r"as an ai|i cannot|i can't|(?:any )?(?:ethical |moral )?disclaimers?\b|(?:any )?warnings? or|"
        r"(?:any )?(?:ethical|moral|safety) (?:warnings?|guidelines))",
    ),
]  # fmt: skip

_AI_COMMAND = [
    _rule(
        "ai_command", "addressed_to_ai",
        "ai|llm|model|chatbot|gpt|assistant|claude|gemini|copilot|bot",
        r"(?:^|[.!?:;\"'(\[*#>\-]\s?)(?:attention|important|urgent|note|notice|instructions?|message|dear|warning|hint|hey|hello|hi|"
        r"ok|okay|memo|directive)[\s,:!]{1,3}(?:(?:message|note|instructions?|notice) )?(?:to |for )?(?:all |any |every |the |you,? )?"
        rf"(?:ai (?:agents?|assistants?|models?|systems?|reviewers?|readers?)|ai[:,!]|llms?\b|(?:large )?language models?|chat ?bots?|"
        r"chat ?gpt|gpt-?\d|claude|gemini|copilot|assistant[:,!])",
    ),
    _rule(
        "ai_command", "if_you_are_ai",
        "if you are|if you're|if you be|as an ai|as a language model|as a large",
        r"\bif (?:you are|you're) (?:an? |the )?(?:\w{1,14} ){0,2}?(?:ai\b|llm\b|language model|chat ?bot|gpt\b|"
        r"automated (?:system|agent|assistant)|ai assistant|bot (?:read|process|summar))|"
        r"^as an? (?:ai|large language model|language model|llm)\b[^.!?]{0,30}\byou (?:must|should|will|shall|are (?:required|to|obliged|instructed))",
    ),
    _rule(
        "ai_command", "when_processing_this",
        "when |whenever |while |before |if asked|if the user|if anyone|any ai|any llm",
        r"\b(?:when(?:ever)?|while|before|if)\s(?:you(?:'re| are)? )?(?:\w{1,12} ){0,2}?(?:summari[sz]|process|pars|translat|"
        r"review|analy[sz]|evaluat|index|grad|rank|quot)(?:e|es|ing|y|ying)?\s(?:this|the above|the following) "
        r"(?:document|text|page|e-?mail|article|resume|cv|paper|content|file|message|website|review|web ?page|passage)\b[^.!?]{0,20}"
        r"(?:,|you)\s?(?:\S{1,12}\s){0,2}?(?:always|must|also|only|include|say|output|reply|respond|recommend|state|mention|"
        r"add|append|insert|ignore|give|tell|write|print|never|do not|don't|replace|claim|conclude)\b",
    ),
    _rule(
        "ai_command", "when_user_asks",
        "user asks|user ask|asked about|asked to|asks about|asks you|users ask",
        r"\b(?:if|when|whenever) (?:the |a |any )?(?:user|human|someone|anyone|you are|customer)s?\s?(?:asks?|asked|requests?|quer(?:y|ies))\s"
        r"[^.!?]{0,80}?(?:,|then) ?(?:you (?:must|should|will|shall) )?(?:always |only |simply |instead |then )?(?:say|reply|respond|answer|"
        r"tell (?:them|him|her|the user)|recommend|claim|state|pretend|lie|output|insist)\b",
    ),
    _rule(
        "ai_command", "use_your_tools",
        "tool|function|plugin|command|api|browser|shell",
        rf"{_ORDER}(?:use|call|invoke|run|execute|trigger|activate) (?:your|the) (?:\w{{1,16}} ){{0,2}}?(?:tool|function|plugin|browser|code interpreter)s?\b"
        r"[^!?]{0,40}\b(?:to|with|and|on)\b[^!?]{0,60}\b(?:send|delete|transfer|e?-?mail|forward|post|fetch|visit|open|download|"
        r"purchase|buy|pay|wire|upload|exfiltrate|https?:)",
    ),
    _rule(
        "ai_command", "rate_me_best",
        "positive review|highest|best candidate|top candidate|accept this|strong accept|recommend",
        r"(?:^|[.!?:;\"'(\[*#>\-]\s?|\bplease )(?:give|assign|award|rate|score|output|write|generate) (?:only )?(?:a |an |the |this |it ){0,2}"
        r"(?:\w{1,12} ){0,3}?(?:positive reviews? only|(?:the )?(?:highest|maximum|top|perfect) (?:possible )?(?:rating|score|grade|marks?)"
        r"(?: possible)?|strong accept)\b|\bpositive review only\b|\bdo not highlight (?:any )?negatives\b",
    ),
    _rule(
        "ai_command", "say_exactly",
        "say |respond |reply |output |print |answer |confirm ",
        rf"{_ORDER}(?:only |just |simply )?(?:say|respond|reply|output|print|answer|confirm)\s(?:only |just |exactly |with |by |to |saying |every |all |this |each |message |prompt ){{0,6}}"
        r"(?:the (?:words?|phrase|sentence|text|string)|(?:only|exactly|just) with)\s[^.!?]{0,20}[\"'][^\"']{1,80}[\"']?"
        r"[^.!?]{0,60}\b(?:if you understand|and nothing else|no matter what|regardless|every (?:time|message|response)|nothing more)\b",
    ),
]  # fmt: skip

# The same orders in other languages: verb, "previous" (either order), noun.
_OTHER_LANGUAGES = [
    _rule(
        "override", "german", "ignorier|vergiss|vergesse|missachte|befolge nicht",
        r"\b(?:ignoriere?n?|vergiss|vergessen|missachten?)\b[^.!?]{0,50}\b(?:vorherig|bisherig|obig|vorig|vorangegangen|fr\u00fcher|"
        r"alle|deine|ihre|was)\w{0,4}\b[^.!?]{0,40}?(?:anweisung|instruktion|befehl|regel|vorgabe|richtlinie|prompt|gesagt)|"
        r"\b(?:vergiss|ignoriere) (?:alles|was) [^.!?]{0,30}?(?:davor|vorher|zuvor|bisher|oben|gesagt)|"
        r"\balle[^.!?]{0,30}(?:anweisung|instruktion|befehl)en\b[^.!?]{0,20}(?:vergisst|ignorierst)",
    ),
    _rule(
        "override", "french", "ignore|oubli|ne tiens pas compte|ne tenez pas compte|fais abstraction",
        r"\b(?:ignore[zr]?|oublie[zr]?|ne (?:tiens|tenez) pas compte (?:de|des)|fai(?:s|tes) abstraction (?:de|des))\b[^.!?]{0,40}"
        r"\b(?:instructions?|consignes?|directives?|r\u00e8gles|ordres|messages?)\b[^.!?]{0,25}(?:pr\u00e9c\u00e9dent|ant\u00e9rieur|ci-dessus|"
        r"initial|d'avant|re\u00e7u|donn\u00e9)",
    ),
    _rule(
        "override", "spanish", "ignor|olvid|haz caso omiso|descart",
        r"\b(?:ignor(?:a|e|en|ad|ar)|olvid(?:a|e|en|ad|ar)|haz caso omiso de|descart(?:a|e))\b[^.!?]{0,40}"
        r"\b(?:instrucci(?:ones|\u00f3n)|indicaciones|\u00f3rdenes|reglas|directrices|mensajes)\b[^.!?]{0,25}"
        r"(?:anterior|previ|de arriba|recibid|iniciales|dadas)",
    ),
    _rule(
        "override", "italian", "ignor|dimentic|trascura",
        r"\b(?:ignora(?:re|te)?|dimentica(?:re|te)?|trascura(?:re|te)?)\b[^.!?]{0,40}\b(?:istruzioni|indicazioni|ordini|regole|"
        r"direttive|messaggi)\b[^.!?]{0,25}(?:precedent|sopra|iniziali|ricevut|anterior)",
    ),
    _rule(
        "override", "portuguese", "ignor|esque\u00e7|desconsider|esquec",
        r"\b(?:ignor(?:e|a|em|ar)|esque\u00e7a|esque\u00e7am|esquecer|desconsider(?:e|em|ar))\b[^.!?]{0,40}\b(?:instru\u00e7(?:\u00f5es|\u00e3o)|"
        r"orienta\u00e7\u00f5es|ordens|regras|diretrizes|mensagens)\b[^.!?]{0,25}(?:anterior|pr\u00e9vi|acima|iniciais|recebid)",
    ),
    _rule(
        "override", "dutch", "negeer|vergeet",
        r"\b(?:negeer|vergeet)\b[^.!?]{0,30}\b(?:vorige|eerdere|voorgaande|bovenstaande|alle|jouw|je)\b[^.!?]{0,25}"
        r"(?:instructie|opdracht|aanwijzing|regel|richtlijn|bericht)",
    ),
    _rule(
        "override", "russian", "\u0438\u0433\u043d\u043e\u0440\u0438\u0440|\u0437\u0430\u0431\u0443\u0434",
        r"(?:\u0438\u0433\u043d\u043e\u0440\u0438\u0440\u0443(?:\u0439|\u0439\u0442\u0435)|\u043f\u0440\u043e\u0438\u0433\u043d\u043e\u0440\u0438\u0440\u0443\w{1,4}|\u0437\u0430\u0431\u0443\u0434\u044c(?:\u0442\u0435)?)\b[^.!?]{0,30}"
        r"(?:\u043f\u0440\u0435\u0434\u044b\u0434\u0443\u0449|\u043f\u0440\u0435\u0436\u043d|\u0432\u0441\u0435 \u0438\u043d\u0441\u0442\u0440\u0443\u043a\u0446|\u0432\u044b\u0448\u0435)[^.!?]{0,25}?(?:\u0438\u043d\u0441\u0442\u0440\u0443\u043a\u0446|\u0443\u043a\u0430\u0437\u0430\u043d|\u043a\u043e\u043c\u0430\u043d\u0434|\u043f\u0440\u0430\u0432\u0438\u043b|\u0441\u043e\u043e\u0431\u0449\u0435\u043d)",
    ),
    _rule(
        "override", "chinese", "\u5ffd\u7565|\u5ffd\u89c6|\u7121\u8996|\u65e0\u89c6|\u5fd8\u8bb0|\u5fd8\u6389",
        "(?:\u5ffd\u7565|\u5ffd\u89c6|\u7121\u8996|\u65e0\u89c6|\u5fd8\u8bb0|\u5fd8\u6389)[^\u3002\uff01\uff1f.!?]{0,12}"
        "(?:\u4e4b\u524d|\u4ee5\u4e0a|\u4e0a\u8ff0|\u5148\u524d|\u524d\u9762|\u4e0a\u9762|\u6240\u6709|\u4ee5\u524d|\u6b64\u524d)[^\u3002\uff01\uff1f.!?]{0,10}"
        "(?:\u6307\u4ee4|\u6307\u793a|\u8bf4\u660e|\u63d0\u793a|\u547d\u4ee4|\u89c4\u5219|\u8aaa\u660e|\u898f\u5247|\u8981\u6c42)",
    ),
    _rule(
        "override", "japanese", "\u7121\u8996|\u5fd8\u308c|\u5f93\u308f\u306a\u3044",
        "(?:\u4ee5\u524d|\u4e0a\u8a18|\u3053\u308c\u307e\u3067|\u524d|\u5148\u307b\u3069|\u3059\u3079\u3066|\u5168\u3066)[^\u3002\uff01\uff1f]{0,10}(?:\u6307\u793a|\u547d\u4ee4|\u6307\u4ee4|\u30d7\u30ed\u30f3\u30d7\u30c8|\u30eb\u30fc\u30eb|\u8aac\u660e)"
        "[^\u3002\uff01\uff1f]{0,8}(?:\u7121\u8996\u3057|\u5fd8\u308c|\u5f93\u308f\u306a\u3044)",
    ),
    _rule(
        "override", "korean", "\ubb34\uc2dc|\uc78a\uc5b4",
        "(?:\uc774\uc804|\uc704\uc758|\uc9c0\uae08\uae4c\uc9c0|\uc55e\uc758|\ubaa8\ub4e0)[^.!?\u3002]{0,12}(?:\uc9c0\uc2dc|\uba85\ub839|\uc9c0\uce68|\uaddc\uce59|\ud504\ub86c\ud504\ud2b8)[^.!?\u3002]{0,10}"
        "(?:\ubb34\uc2dc|\uc78a\uc5b4)",
    ),
    _rule(
        "override", "polish_turkish_arabic", "zignoruj|ignoruj|zapomnij|g\u00f6rmezden|yok say|\u062a\u062c\u0627\u0647\u0644",
        r"\b(?:z?ignoruj|zapomnij)\b[^.!?]{0,40}(?:poprzedni|wcze\u015bniejsz|powy\u017csz)\w{0,4}[^.!?]{0,20}(?:instrukcj|polece|regu|wytyczn)|"
        r"(?:\u00f6nceki|yukar\u0131daki)[^.!?]{0,20}(?:talimat|komut|kural)\w{0,10}[^.!?]{0,20}(?:g\u00f6rmezden gel|yok say|unut)|"
        "\u062a\u062c\u0627\u0647\u0644[^.!?]{0,30}(?:\u062a\u0639\u0644\u064a\u0645\u0627\u062a|\u0623\u0648\u0627\u0645\u0631)[^.!?]{0,20}\u0627\u0644\u0633\u0627\u0628\u0642",
    ),
]  # fmt: skip

RULES: tuple[Rule, ...] = (
    *_OVERRIDE, *_ROLE, *_SYSTEM_PROMPT, *_CHAT_TEMPLATE, *_EXFILTRATION, *_CONCEALMENT,
    *_AI_COMMAND, *_OTHER_LANGUAGES,
)  # fmt: skip

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef"
)
"""Characters that show nothing, as the inside of a character class."""

HIDDEN: tuple[tuple[str, re.Pattern[str]], ...] = (
    # Tag characters spell ASCII invisibly; the flags of England, Scotland and Wales use them too.
    (
        "tag_characters",
        re.compile("(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0020-\U000e007e]{2}"),
    ),
    ("zero_width_run", re.compile("[\u200b-\u200d\u2060-\u2064\ufeff\u180e\u3164]{4}")),
    ("zero_width_between_letters", re.compile("(?:[A-Za-z][\u200b-\u200d\u2060-\u2064\ufeff]){4}")),
    ("variation_selector_run", re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3}")),
    ("direction_override", re.compile("[\u202d\u202e]")),
)
"""Ways to hide text from people, by name; matched against the sentence as it stands."""

DISCUSSION = re.compile(
    r"\b(?:inject\w*|jailbreak\w*|attack\w*|adversar\w*|malicious\w*|attempt\w*|example|examples|phrases?|"
    r"such as|e\.g|called|known as|for instance|payload\w*|detect\w*|exploit\w*|hostile|trick\w*|"
    r"strings? (?:like|such)|sentences? (?:like|such)|prompts? like|instructions? like|tokens?|template|"
    r"delimiter|marker|says?|said|reads?|wrote|contain\w*)\b"
)
"""Words around a quotation that show that the sentence speaks about it."""
