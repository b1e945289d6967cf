"""Whom a home folder belongs to: users in paths, told from pages of sites and from services."""

from __future__ import annotations

import re

from .place import Place

_NOBODY = re.compile(
    rb"(?i)^(?:(?:my|your|the|some|a)?[-_.]?(?:user(?:s|name|[-_]?\d)?|name|account|home|login|me|you|him|her|them)"
    rb"|runner(?:admin)?|ubuntu|debian|centos|fedora|root|admin(?:istrator)?|vagrant|app|node|travis"
    rb"|circleci|jovyan|pi|ec2-user|azureuser|docker|public|default|shared|foo|bar|baz|test\w*|git"
    rb"|jenkins|build(?:er|bot)?|ci|vsts\w*|vscode|codespace|gitpod|steam|linuxbrew|coder|dev(?:[\d_-]\w*|el\w*|ops|user|s)?"
    rb"|postgres|mysql|www(?:-data)?|nginx|apache|hadoop|spark|airflow|example|sample|demo|guest"
    rb"|all[ _]?users|u|x+|alice|bob|john|jane|joe|jdoe|johndoe|john\.doe|dummy|nobody|sandbox|work"
    rb"|\w*user|staging|production|media|myself|deploy\w*|service|svc|projects?|data|src|iojs|nodejs"
    rb"|__username__|appveyor|backup|ansible|opc|core|monitor(?:ing)?|nagios|oracle|support|ops"
    rb"|sysadmin|remote|ssh|sftp|rsync|workers?|servers?|hosts?|clients?|operator|tomcat|elastic"
    rb"|kafka|redis|mongo(?:db)?|grafana|gitlab|github|hdfs|hive|ec2|gcp|aws|azure|cloud|kali|alpine"
    rb"|arch|rocky|rhel|osmc|lab|vm|box|machine|local|master|slave|students?|teacher|containeradministrator|conda|python|ruby|rust|go|java|web|ftp|.)$"
)


def home_user(place: Place) -> float:
    """How sure it is that the folder in /home or /Users is named after a person."""
    return 0.0 if _NOBODY.match(place.value) or _PAGE.match(place.value) else 1.0


# Pages and parts of sites, which stand behind /home/ and /Users/ as well.
_PAGE = re.compile(
    rb"(?i)(?:index|pages?|list|dash\w*|profiles?|settings?|about\w*|contacts?|search|news|feeds?"
    rb"|log-?(?:in|out|on|off)|sign\w+|register|auth\w*|main|welcome|overview|details?|edit|new"
    rb"|create|add|delete|remove|views?|show|help|faq|start|menu|content|banners?|sliders?"
    rb"|sections?|header|footer|products?|items?|categor\w+|posts?|articles?|events?|summary"
    rb"|stat\w*|analytics|notif\w+|messages?|orders?|carts?|checkout|privacy|terms|blogs?|teams?"
    rb"|features?|pricing|error\w*|tabs?|components?|modules?|screens?|hero|intro|landing"
    rb"|config\w*|accounts?|count|all|recent|popular|top|latest|get\w+|fetch\w+|update\w*"
    rb"|[0-9]+|ids?|roles?|groups?|export|import|bulk|files?|images?|img|css|js|assets?|static"
    rb"|public|api|v[0-9]|docs?|download\w*|upload\w*|random|rules)\Z"
)
# What else ends an address: a file, words joined as the names of pages and functions are.
_NO_NAME = re.compile(
    rb"(?i)(?:[\w.-]+\.(?:html?|php|aspx?|jsp|js|css|json|png|jpe?g|svg|py|txt|md|tsx?|vue|jar|sh|log)"
    rb"|[\w.-]+\.(?:so|gz|zip|tar|conf|cfg|ini|ya?ml|xml|csv|sql|c|h|cpp|go|rb|rs|java|exe|pdf)"
    rb"|(?-i:[a-z]+(?:-[a-z]+)+|[a-z]+(?:[A-Z][a-z]+)+))\Z"
)
# What asks for a folder, in code whose addresses of pages look alike.
_FOLDER = re.compile(
    rb"(?i)(?:file|path|chdir|exists|open|glob|expand\w*|setwd)\(\s{0,2}[\"'`]$"
    rb"|(?:dir|cwd|home|root|folder|workspace|base)[\"'`\])]{0,2}\s{0,2}[:=]{1,2}\s{0,2}[\"'`]$"
    rb"|(?<![a-z])cd[ ]$"
)
_ROUTES = (
    *(".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".vue", ".svelte", ".html", ".htm", ".hbs"),
    *(".java", ".kt", ".scala", ".cs", ".cshtml", ".razor", ".jsp", ".go", ".rs", ".swift"),
    *(".rb", ".erb", ".haml", ".php", ".phtml", ".py", ".ex", ".exs", ".ejs", ".dart"),
    *(".json", ".har", ".map", ".http", ".conf", ".lock"),
)


_LINK = re.compile(
    rb"(?i:href|src|action|to|url|link|route)\s?[=:(]\s?[\"'`]?$"
    rb"|(?:GET|POST|PUT|PATCH|DELETE|HEAD)[ ]$"
)


def home_end(place: Place) -> float:
    """As ``home_user``, where the path ends with the name, as the addresses of pages do."""
    if _NO_NAME.match(place.value) or not place.value[:1].islower():
        return 0.0
    before = place.region[max(0, place.head - 60) : place.head]
    if _LINK.search(before):
        return 0.0
    if place.path.lower().endswith(_ROUTES) and place.before(6) != b"Users/":
        return home_user(place) if _FOLDER.search(before) else 0.0
    return home_user(place)
