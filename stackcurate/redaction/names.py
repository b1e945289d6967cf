"""How languages name passwords: the judges' and the tables' half of ``words`` in the rule table."""

from __future__ import annotations

import re

PASSWORD_NAME = re.compile(
    "(?i)psw(?:d|rd)?(?![a-z])|pword|passwrd|snmp[_-]?community|community_?string|key_?material"
    "|pass(?:w(?:or)?d|wd|phrase|code|wort|e(?![a-z]))?s?|pwd"
    "|(?:pw|(?<![a-z])(?:psk|mdp))(?![a-z])"
    "|(?-i:[a-z]Pw(?![a-z]))|contrase|kennwort|wachtwoord|senha|clave|(?:ö|o)senord|adgangskode"
    "|salasana|heslo|jelsz|has(?:ł|l)o|parola|sifre|şifre|m(?:ậ|a)t[ _]?kh(?:ẩ|a)u|lozinka"
    "|κωδικός|รหัสผ่าน|كلمة المرور|סיסמה|(?:wlan|wi_?fi|wpa)[_-]?key|psksecret|pre-?shared-?key"
    "|bind_?credentials?|(?<![a-z])(?:parol|sudo)(?![a-z])"
    "|пароль|Пароль|密码|密碼|パスワード|비밀번호".encode()
)
