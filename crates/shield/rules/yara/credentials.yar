// What carries keys out of a machine.

rule keys_sent_away {
    meta:
        needs = ".ssh|.aws|.netrc|.kube|.git-credentials|gcloud|/etc/shadow|.npmrc|.docker|wallet.dat|.gnupg|env"
        reach = "1000"
        id = "code/credential-theft"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it reads keys or passwords of the machine and sends them away"
    strings:
        $upload = /\b(curl|wget|nc|ncat|scp|rsync|http)\b[^\n]{0,200}(\.ssh\/id_\w{2,10}|\.aws\/credentials|\.netrc\b|\.kube\/config|\.git-credentials|\.config\/gcloud|\/etc\/shadow|\.npmrc|\.docker\/config\.json|wallet\.dat|\.gnupg\/)/
        $piped = /(\.ssh\/id_\w{2,10}|\.aws\/credentials|\.netrc\b|\.kube\/config|\.git-credentials|\/etc\/shadow|\.npmrc|\.docker\/config\.json|wallet\.dat|\bprintenv\b|\benv)\s{0,4}[^\n]{0,60}\|\s{0,4}[^\n]{0,60}\b(curl\s[^\n]{0,120}(-d|--data\S{0,10}|-F|-T|--upload-file)\s{0,2}=?@?-?|nc\s|ncat\s)/
        $tar = /\btar\s[^\n]{0,100}\.(ssh|aws|gnupg|kube)\b[^\n]{0,100}\|[^\n]{0,40}\b(curl|nc|ncat|ssh)\b/
    condition:
        any of them
}

rule stealer {
    meta:
        needs = "discord.com/api|discordapp.com/api|api.telegram.org|webhook.site|pipedream.net|burpcollaborator|.oast|.interact.sh|requestbin|.ngrok|pastebin.com/api|hooks.zapier|canarytokens|transfer.sh|requestcatcher|beeceptor"
        id = "code/credential-theft"
        level = "HIGH"
        prose = "LOW"
        reason = "it collects keys or passwords of the machine and knows an address to send them to"
    strings:
        $drop = /discord(app)?\.com\/api\/webhooks\/|api\.telegram\.org\/bot|webhook\.site\/|\.pipedream\.net|burpcollaborator\.net|\.oast(ify)?\.|\.interact\.sh|requestbin\.|\.ngrok(-free)?\.(io|app|dev)|pastebin\.com\/api|hooks\.zapier\.com|canarytokens\.|transfer\.sh|\.requestcatcher\.com|beeceptor\.com/ ascii wide nocase
        $key = /\.ssh[\/\\"',\s]{1,6}(id_(rsa|ed25519|ecdsa|dsa)|["'])|\.aws[\/\\"',\s]{1,6}credentials|\.kube[\/\\]config|\.git-credentials|\.npmrc|\.pypirc|\.docker[\/\\]config\.json|wallet\.dat|Local State|Login Data|\\Cookies|cookies\.sqlite|logins\.json|key4\.db|Local Storage[\/\\]{1,2}leveldb|\/etc\/shadow|JSON\.stringify\s{0,2}\(\s{0,2}process\.env\s{0,2}\)|dict\s{0,2}\(\s{0,2}os\.environ\s{0,2}\)|json\.dumps\s{0,2}\([^\n]{0,20}os\.environ/ ascii wide
    condition:
        $drop and $key
}
