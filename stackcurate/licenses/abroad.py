"""What forbids and limits in other languages than English: acts, trade, "only", "without consent".

No sentence is understood here. In the text of a license that is otherwise known, one such word
between its sentences is enough to doubt it; in a comment of a source file, which may speak of the
code in these words, more must be said.
"""

from __future__ import annotations

import re

LIMITS = re.compile(
    # German, Dutch, Scandinavian
    r"kommer[zs]i\w+|gewerblich\w*|\buntersag\w+|\bverboten\b|nicht (?:gestattet|erlaubt|"
    r"zulässig)|\bdarf (?:nicht|nur)\b|\bdürfen nicht\b|\bbedarf\b|"
    r"\bnur (?:für|mit|zu|zum|im|innerhalb|durch|nach)\b|\bausgeschlossen\b|\bausgenommen\b|"
    r"\bausnahm\w+|\bkostenpflichtig\w*|"
    r"\bohne (?:\w+ ){0,3}(?:genehmigung|zustimmung|einwilligung|erlaubnis)|\bweitergabe\b|"
    r"\bvertraulich\w*|"
    r"\bverboden\b|niet toegestaan|\bcommercieel\b|\buitsluitend\b|zonder toestemming|"
    r"\bförbjud\w+|\bforbudt?\b|\bendast för\b|\bkun til\b|"
    # French, Spanish, Portuguese, Italian
    r"\binterdit\w*|(?:usage|utilisation) (?:non )?commercial\w*|sans (?:\w+ ){0,3}(?:accord|"
    r"autorisation|permission)\b|"
    r"\buniquement\b|\bexclusivement\b|pas d['’]utilisation|"
    r"\bprohib(?:id[oa]s?|en?)\b|\bprohíb\w+|\bcomercial(?:es|mente)?\b|"
    r"\bsin (?:\w+ ){0,3}(?:autorización|permiso|consentimiento)\b|"
    r"\b(?:únicamente|solamente|exclusivamente)\b|no (?:se permite|está permitid\w+)|"
    r"\bproibid\w+|\bvedad[oa]\b|\bsem (?:\w+ ){0,3}(?:autorização|permissão|consentimento)\b|"
    r"\bapenas para\b|"
    r"\bvietat[oaie]\b|\bcommercial[ei]\b|\bsenza (?:\w+ ){0,3}(?:autorizzazione|permesso|"
    r"consenso)\b|"
    r"\besclusivamente\b|non è (?:consentit|permess)\w+|"
    r"\buso\b|\bprivat[oa]\b|\bmembres\b|\bréservée?s?\b|\breservad\w+|\briservat\w+|"
    r"\bs[oó]lo (?:per|para)\b|"
    # Finnish, Romanian, Hungarian, Greek
    r"\bkielletty\b|\bkaupalli\w+|\binterzis\w*|\bcomercial[ăe]\b|\btilos\b|\bkereskedelmi\b|"
    r"απαγορ|εμπορικ|"
    # Polish, Czech, Turkish, Indonesian, Vietnamese
    r"\bzabroni\w+|\bzakaz\w*|\bkomercyjn\w+|\bwyłącznie\b|bez (?:\w+ )?zgody|\bzakáz\w+|"
    r"\bkomerčn\w+|"
    r"\byasak\w*|\bticari\b|\bizinsiz\b|\bdilarang\b|\bkomersial\b|không được|thương mại|"
    # Russian, Ukrainian
    r"запрещ\w+|запрет\w*|коммерческ\w+|некоммерческ\w+|не (?:разреш|допуска)\w+|"
    r"без (?:\w+ ){0,3}(?:разрешения|согласия)|заборон\w+|комерційн\w+|"
    # Chinese, Japanese, Korean, Arabic
    r"禁止|不得|不允许|不允許|商业|商業|商用|营利|營利|営利|仅供|僅供|仅限|僅限|未经|未經|付费|禁じ|"
    r"無断|再配布|使用できません|"
    r"許可なく|に限り|금지|상업|영리|무단|허락 없이|이용할 수 없|يمنع|يحظر|تجاري"
)
# So that a comment about the code ("only", "not") is none of these.
LIMITS_SURE = re.compile(
    r"kommer[zs]iell\w*|gewerblich\w* (?:nutz|verwend|zweck)\w*|(?:nutzung|weitergabe|"
    r"vervielfältigung|kopieren|verbreitung)"
    r"[^.]{0,60}(?:verboten|untersagt|gestattet)|\b(?:streng )?vertraulich\b|internen gebrauch|"
    r"(?:usage|utilisation) (?:non[- ]|strictement )?(?:commercial|interne|privé)\w*|"
    r"reproduction interdite|\bconfidentiel\b|"
    r"\b(?:uso|fines?|fins) (?:no |não |non )?(?:comercia(?:l|les|is)|commerciale|commerciali)\b|"
    r"\b(?:prohibid|proibid|vietat)\w+ (?:su|la|el|o|a|il|l'|l’)? ?(?:uso|utiliz|copia|cópia|"
    r"reproduc|distribu|redistribu)\w*|"
    r"(?:uso|utilización|copia|reproducción|distribución|redistribución)[^.]{0,40}(?:prohibid|"
    r"proibid|vietat)\w+|"
    r"\bohne (?:\w+ ){0,3}(?:genehmigung|zustimmung|einwilligung|erlaubnis)\b|"
    r"не для распростран\w+|для внутреннего (?:использ|пользов)\w*|"
    r"komercyjn\w+|komerčn\w+|ticari (?:amaç|kullan)\w+|"
    r"(?:не)?коммерческ\w+ (?:использ|цел|примен)\w*|(?:копирование|распространение|"
    r"использование)[^.]{0,40}запрещ\w+|"
    r"商业(?:用途|使用|目的|性|化)|商業(?:用途|利用|目的)|商用(?:利用|目的|禁止|不可)|禁止商用|禁止(?:转载|轉載|传播|複製|复制|转售|抄袭)|"
    r"仅供(?:学习|个人|内部|研究|参考|交流)|僅供(?:學習|個人|內部)|未经(?:许可|授权|允许|同意|作者)|未經(?:許可|授權)|不得(?:用于|转载|复制|传播|商用)|"
    r"無断(?:転載|使用|複製|利用|配布)|再配布(?:禁止|を禁|不可)|営利目的|転載禁止|"
    r"상업(?:적|용)|무단 ?(?:전재|복제|배포|사용)|영리 ?목적"
)

# Letters without which no word of Latin script above can match.
MAY_BE = (
    "kielletty", "kaupalli", "interzis", "tilos", "kereskedelmi", "uso ", "privato", "privata",
    "membres", "darf ", "dürfen", "bedarf", "reservad", "riservat", "solo per", "solo para",
    "forbud", "kun til", "bez ", "niet ", "kommer", "gewerb", "verboten", "untersag", "nicht",
    "ausgenom", "ausnahm",
    "nur ", "ausgeschl", "kostenpflichtig", "ohne ", "weitergabe", "gebrauch", "verboden",
    "uitsl", "zonder", "interdit", "usage ", "utilisation", "sans ", "uniquement",
    "exclusivement", "prohib", "comerc", " sin ", "proib", "vedad", "apenas", "vietat",
    "commerciale", "commercieel", "senza", "esclus", "zabron", "zakaz", "komer", "yasak",
    "ticari", "izinsiz", "dilarang", "vertraulich",
)  # fmt: skip
# The same for ``LIMITS_SURE``, of all scripts.
MAY_BE_SURE = (
    "kommer", "gewerb", "nutzung", "weitergabe", "vervielf", "kopieren", "verbreitung",
    "vertraulich",
    "gebrauch", "ohne ", "usage ", "utilisation", "reproduction interdite",
    "confidentiel", "uso ", "fines ", "fins ", "comerc", "prohibid", "proibid", "vietat",
    "komer", "ticari", "коммерч", "копирован", "распростран", "использов", "внутренн",
    "商", "禁止", "仅供", "僅供", "未经", "未經",
    "不得", "無断", "再配布", "営利", "転載", "상업", "무단", "영리",
)  # fmt: skip

# Sentences that say what is allowed, without a word that takes something of it.
_ALLOWS = re.compile(
    r"\b(?:erlaub\w+|gestatte\w*|zulässig|darf|dürfen|frei|se permite|permit\w+|autoris\w+|"
    r"autoriz\w+|permis\w*|peu(?:t|vent|x)|pouvez|puede[ns]?|pode[ms]?|può|libre(?:s|ment|mente)?|"
    r"livremente|liberamente|wolno|można|mag|mogen)\b|разреш\w+|можно|делайте|свободн\w+|"
    r"可以|允许|允許|可自由|自由に|许可|許可|허용|허락|자유"
)
_ALL_OF_IT = re.compile(
    r"\b(?:auch|jed\w+|alle[nrs]?|kommer[zs]\w+|gewerblich\w*|verkauf\w+|comercia\w+|"
    r"commercia\w+|tou(?:t|te|tes|s)|tod[oa]s?|cualquier\w*|qualquer|qualsiasi|vend(?:re|er|ere)|"
    r"modific?\w+|modifier|dowoln\w+|elk\w*|alle)\b|коммерч\w+|люб\w+|вс[её]\b|что хотите|"
    r"商|任意|任何|自由|無制限|無償|すべて|全て|모든|상업"
)
_NOT_ALL = re.compile(
    r"\b(?:nicht|nur|ohne|kein\w*|außer|ausgenommen|ausnahm\w+|sofern|wenn|solange|bis|gegen|"
    r"no|sin|s[oó]lo|solamente|únicamente|salvo|excepto|si|hasta|ne|n['’]\w+|pas|sans|seulement|"
    r"uniquement|sauf|jusqu\w*|não|sem|apenas|somente|exceto|se(?! permite)|até|non|senza|"
    r"soltanto|eccetto|"
    r"finché|nie|bez|tylko|jeśli|niet|zonder|alleen|tenzij|mits)\b|"
    r"\b(?:не|нет|без|только|кроме|если|пока)\b|不|仅|僅|禁|非(?!商)|除|(?<!無制)(?<!无)限|未|ません|ない|のみ|だけ|"
    r"한정|금지|안|없"
)
# "commercial and non-commercial", and "without warranty": said of all that is open.
_NEUTRAL = re.compile(
    r"\b(\w{6,}) (?:y|o|und|oder|et|ou|e|и|или|en|of|i|lub) (?:no|nicht|non|não|niet|не|"
    r"nie)[- ]?\1|"
    r"\b(?:sans|ohne|sin|senza|sem|zonder|bez) (?:\w+ ){0,2}(?:garant\w+|gewähr\w*|gwarancj\w*|"
    r"warranty|záruk\w*)|без (?:\w+ ){0,2}гаранти\w+|ohne (?:einschränkung\w*|bedingung\w*)|"
    r"sans (?:restriction|limitation)s?|sin restricci\w+|без ограничени\w+"
)
_TRANSLATION = re.compile(
    r"\bübersetz\w+|\btraduc\w+|\btradu[çz]\w+|\btłumacz\w+|\bvertaling\b|перевод\w*|"
    r"英語版|英文版|正文|翻訳|翻译|翻譯|譯文|译文|参考訳"
)
_LEARNING = re.compile(
    r"\bki\b|künstliche\w* intelligenz|maschinelle\w* lernen|training\w*|trainier\w*|"
    r"\bia\b|intelig[eê]ncia artificial|intelligence artificielle|intelligenza artificiale|"
    r"apprentissage automatique|aprendizaje autom\w+|aprendizado de m\w+|fouille de textes|"
    r"entra[iî]ne\w+|entren\w+|treina\w*|addestra\w+|sztuczn\w+ inteligencj\w+|"
    r"нейро\w*|искусственн\w+|обуч\w+|人工智能|人工智慧|人工知能|大模型|模型训练|模型訓練|训练|訓練|機械学習|"
    r"ai学習|학습|인공지능|\bai\b|\bllms?\b"
)


def _without_neutral(said: str) -> str:
    return _NEUTRAL.sub(lambda found: f" {found[1] or ''} ", said)


def allows(said: str) -> bool:
    """Whether a sentence (lower case) of another language than English grants, and no more."""
    said = _without_neutral(said)
    if not said.strip(" .,:;!()。、"):
        return True
    fits = (_ALLOWS.search(said) and _ALL_OF_IT.search(said)) or _TRANSLATION.search(said)
    return bool(fits) and not _NOT_ALL.search(said)


def limits(said: str, sure: bool) -> bool:
    """Whether a sentence (lower case) limits the use; ``sure`` is asked of comments."""
    found = (LIMITS_SURE if sure else LIMITS).search(_without_neutral(said))
    return found is not None and not allows(said)


def speaks_of_learning(said: str) -> bool:
    """Whether a sentence (lower case) names artificial intelligence, or its training."""
    return _LEARNING.search(said) is not None
