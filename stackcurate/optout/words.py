"""The words that requests are made of, in the languages that people write them in.

Reading is deny by default: a sentence is understood only when every word of it is known here. So a
missing word costs a person's look at the request, and never a repository that nobody named.
"""

from __future__ import annotations

import re

# Words that ask for removal, as stems: "remov" covers remove, removed, removal.
_ASKING = (
    # English
    r"remov", r"delet", r"exclu(?:de|sion)", r"opt(?:ing|ed)?[ -]?(?:\w+ ){0,3}out", r"optout",
    r"tak(?:e|en|ing) (?:\w+ ){0,2}down", r"takedown", r"eras", r"withdraw", r"purg", r"drop",
    # Spanish, Portuguese, French, Italian
    r"elimin", r"borr(?:ar|en)", r"exclu(?:ir|yan|am)", r"retir", r"quit(?:ar|en)",
    r"apag(?:ar|uem)",
    r"remo[vç]", r"supprim", r"effac", r"exclure", r"rimuov", r"cancell", r"esclud",
    # German, Dutch, Polish, Turkish, the North
    r"entfern", r"lösch", r"ausschlie", r"verwijder", r"usu[nńw]", r"kaldır", r"radera", r"ta bort",
    r"fjern", r"slett?", r"poista",
    # Russian, Ukrainian
    r"удал", r"исключ", r"видал",
)  # fmt: skip
# Written without spaces between words.
_ASKING_IDEOGRAMS = ("删除", "刪除", "移除", "削除", "삭제", "제거")
ASKS = re.compile(r"(?i)(?:(?<!\w)(?:" + "|".join(_ASKING) + "))|" + "|".join(_ASKING_IDEOGRAMS))

# Words that turn, narrow or widen what is asked: the whole request goes to a person.
_TURNING = (
    r"except\w*", r"excluding", r"other than", r"apart from", r"aside from", r"besides", r"but not",
    r"but (?:please |only )?(?:keep|leave)", r"keep\w*", r"retain\w*", r"preserve\w*", r"stays?",
    r"leave (?!me)", r"unless", r"already", r"mistake\w*", r"restor\w+", r"put back", r"undo\w*",
    r"re-?add", r"re-?includ\w+", r"opt(?:ing)? (?:me|us|it|them|back)(?: back)? in",
    r"want(?:ed)? to opt in", r"changed my mind",
    r"never ?mind", r"disregard", r"forks?", r"mirrors?", r"cop(?:y|ies)", r"renamed?",
    r"formerly", r"(?:not|isn't|aren't) mine", r"someone else", r"for example",
    r"e\.g\.", r"such as",
    r"(?:do not|don'?t|dont|never|not|won'?t|stop) (?:\w+ ){0,2}"
    r"(?:remov|delet|exclud|eras|drop)\w*",
    r"no longer (?:want|wish|need)\w* (?:\w+ ){0,3}(?:remov|delet|exclu|opt)\w*",
    r"only the (?:file|folder|director|branch|commit)\w*",
    r"excepto", r"salvo", r"a excepción", r"menos", r"conservar", r"mantener", r"mantenham",
    r"exceto", r"sauf", r"hormis", r"garder", r"gardez", r"eccetto", r"tranne", r"mantenere",
    r"außer", r"ausgenommen", r"behalten", r"nicht (?:\w+ ){0,2}(?:lösch|entfern)\w*", r"behalve",
    r"behoud\w*", r"oprócz", r"poza", r"zachowa\w*", r"hariç", r"кроме",
    r"оставь?\w*", r"не удал\w*",
)  # fmt: skip
_TURNING_IDEOGRAMS = ("除了", "以外", "保留", "不要", "しないで", "残し", "제외하고", "유지")
TURNS = re.compile(
    r"(?i)(?<!\w)(?:" + "|".join(_TURNING) + r")(?!\w)|" + "|".join(_TURNING_IDEOGRAMS)
)

# Words that speak of a part of a repository: then what looks like owner/name may be a path.
PARTS = re.compile(
    r"(?i)(?<!\w)(?:files?|folders?|director(?:y|ies)|paths?|branch(?:es)?|dateien?|ordner|fichiers?|"
    r"dossiers?|archivos?|carpetas?|arquivos?|pastas?|cartell[ae]|файл\w*|папк\w*)(?!\w)|文件|目录|"
    r"ファイル|フォルダ|파일|폴더"
)
REPOSITORY = re.compile(
    r"(?i)(?<!\w)(?:repo|repos|repositor(?:y|ies)|projects?|repositorios?|repositórios?|dépôts?|"
    r"projets?|projekte?|proyectos?|projetos?|progett[oi]|репозитори\w*|проект\w*)(?!\w)|仓库|倉庫|"
    r"リポジトリ|저장소"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What may stand around a name in a sentence that asks for it, besides the asking itself.
AROUND = _words(
    """a all also am an and any anything are as asap at author be been behalf best bigcode both
    can cheers code content contents could creator current data dataset datasets dear developer
    everything every following for from future github gitlab codeberg good now greetings hello
    hereby hey hi i i'd i'm immediately in include included inclusion into is it its kind kindly
    like link links listed maintainer maintainers me my name names next of
    on one our out owner owners own please pls plz possible project projects public publicly
    regards repo repos repository repositories request requested
    requesting requests sir source stack starcoder starcoder2 such sure team thank thanks that
    the them then these they this those three to too training two url urls v1 v2 v2.1 v3 version
    versions want was we we'd were which will wish with would you your
    yours account we're here below above both that's mine soon and/or de del
    por favor mi mis mío repositorio repositorios del el la los las conjunto datos proyecto
    proyectos código gracias hola saludos quiero quisiera solicito que sea sean se este estos
    estas mío míos y su
    meu meus minha os as o do da dos das obrigado obrigada olá repositório repositórios projeto
    projetos quero solicito seja sejam e este estes
    veuillez s'il vous plaît svp merci bonjour mon mes ma dépôt dépôts projet projets le les du
    des je souhaite demande que soit soient de ce ces et jeu données
    bitte danke hallo guten tag mein meine meinen meiner projekt projekte repository repositories
    aus dem den der die das datensatz ich möchte dass sie wird werden diese dieses und vom von
    viele grüße
    per favore grazie ciao mio miei il i gli lo progetto progetti dal dalla dai vorrei chiedo
    alstublieft graag bedankt hallo mijn uit het een project projecten en wil ik
    proszę o dziękuję moje mój repozytorium repozytoria projekt z ze i
    lütfen teşekkürler depomu projemi
    пожалуйста спасибо здравствуйте мой мои моего репозиторий репозитории репозитория проект
    проекты из набора данных прошу и эти этот
    snälla tack mitt mina från och"""
)
_IDEOGRAMS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
# Pieces of sentences in languages without spaces; what is left of a run must be nothing.
_PIECES = re.compile(
    "请从数据集中|请把|请将|请|从|数据集|训练数据|中|我的|仓库|项目|代码|谢谢|以下|这个|这些|把|将|掉|和|您好|你好|吧|"
    "データセットから|から|を|してください|して|ください|下さい|リポジトリ|私の|の|お願いします|ありがとうございます|次の|この|"
    "데이터셋에서|에서|제|저장소를|저장소|해|주세요|부탁드립니다|감사합니다|를|을|이|다음|안녕하세요|"
    + "|".join(_ASKING_IDEOGRAMS)
)

# What may stand beside a name where nothing else on the line says what is wanted.
LABELS = _words(
    """and also both following github gitlab link links my name names our please project projects
    repo repos repository repositories the this these to url urls thanks & mein mi mon proyecto
    projekt projet repositorio dépôt repositório projeto"""
)

# A name after one of these may be where something else is to be removed from.
_PLACES = _words(
    """from in of by to with within inside into under at on aus von vom in de da do du del dans en
    из в van uit z w di dal dalla con avec mit"""
)
_OF = _words("of von de di do")
_PLACE_BEFORE = ("从", "在", "自")
_PLACE_AFTER = ("から", "에서", "中", "里", "内", "の", "의")


def is_place(before: str, after: str) -> bool:
    """Whether the words around a name make it the place that something is removed from."""
    last = re.findall(r"[^\W_]+", before)[-2:]
    if len(last) == 2 and last[1].lower() in _OF and ASKS.match(last[0]):
        return False  # "removal of NAME"
    near = before.rstrip(" `*'\"“「(:")
    plain = not re.search(r"[:,.;]\s*$", before)
    return (
        (plain and bool(last) and last[-1].lower() in _PLACES)
        or near.endswith(_PLACE_BEFORE)
        or after.lstrip(" `*'\"”」)").startswith(_PLACE_AFTER)
    )


# The only words of a request that is read as a whole account.
ACCOUNT = _words(
    """a all and any are associated belonging by complete completely code content contents current
    data dataset datasets entire entirely every linked everything existing for from future github
    has
    hello hey hi i i'd i'm in include included is it like my me mine of org organisation
    organization our out owned please pls plz public regards repo repos repositories request
    stack starcoder starcoder2 that thank thanks the this to training under user username v1
    v2 v3 want we whole will wish with would you your account accounts projects kindly its
    bigcode hereby"""
)
_ALL = re.compile(
    r"(?i)\b(?:(?:all|every|everything|any)\b.*\b(?:repos|repositories|projects|account|user|"
    r"username|data|code|org\w*)|(?:whole|entire|complete|my|our|this)\s+(?:\w+\s+)?(?:account|"
    r"organi[sz]ation|org)|(?:everything)\s+(?:under|by|from|of|owned))\b"
)


def unknown(text: str, known: frozenset[str] = AROUND) -> list[str]:
    """The words of ``text`` that are neither in ``known`` nor ask for removal."""
    text = ASKS.sub(lambda found: " " if re.search(r"\W", found[0]) else found[0], text)
    left = []
    for word in re.findall(r"[^\W_][\w'’.\-/]*", text.replace("’", "'")):
        plain = word.lower().strip(".'-/")
        if _IDEOGRAMS.fullmatch(plain):
            plain = _PIECES.sub("", plain)
        asks = ASKS.match(plain)
        if asks and _ENDS.fullmatch(plain[asks.end() :]):
            continue
        if plain and plain not in known:
            left.append(word)
    return left


# What may follow the stem of a word that asks.
_ENDS = re.compile(
    r"|e|al|als|ed|d|es|s|ing|ion|ions|n|r|t|ar|en|er|ere|et|te|ez|ei|ą|ć|ąć|ite|ить|ите|ть|a|as|ado|"
    r"are|an|ir|ung|der"
)


def names_all(text: str) -> bool:
    """Whether a text speaks of a whole account, in the few words that leave no doubt."""
    return bool(_ALL.search(text)) and not unknown(text, ACCOUNT)
