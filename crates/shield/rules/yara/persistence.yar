// What makes itself at home.

rule comes_back {
    meta:
        needs = "crontab|.bashrc|.bash_profile|.profile|/profile|.zshrc|rc.local|authorized_keys|ld.so.preload|sudoers|reg |reg.exe|CurrentVersion|schtasks"
        needs_bytes = "72656709"
        id = "code/persistence"
        level = "HIGH"
        prose = "LOW"
        reason = "it arranges that something fetched or hidden is run again and again"
    strings:
        $cron = /crontab[^\n]{0,200}(\/dev\/tcp\/|\b(curl|wget)\b[^\n]{1,200}\|\s{0,3}(ba|z|da)?sh\b|base64\s+-d|\bnc\s+-e)/
        $cron_in = /(\/dev\/tcp\/|\b(curl|wget)\b[^\n]{1,200}\|\s{0,3}(ba|z|da)?sh\b|base64\s+-d)[^\n]{0,200}\|\s{0,3}crontab\s+-/
        $profile = /(\/dev\/tcp\/|\b(curl|wget)\b[^\n]{1,200}\|\s{0,3}(ba|z|da)?sh\b|base64\s+-d)[^\n]{0,200}>>\s{0,3}["']?(~|\$HOME|\/root|\/home\/[^\/\s]{1,40}|\/etc)\/(\.(bashrc|bash_profile|profile|zshrc)|profile|rc\.local|crontab)/
        $key = /echo\s[^\n]{0,20}ssh-(rsa|ed25519|dss)\s[^\n]{20,1200}>>\s{0,3}["']?[^\s]{0,60}authorized_keys/
        $preload = />>?\s{0,3}["']?\/etc\/ld\.so\.preload/
        $sudo = /echo\s[^\n]{0,60}ALL\s{0,2}=\s{0,2}\(ALL[^\n]{0,20}\)\s{0,2}NOPASSWD[^\n]{0,40}>>\s{0,3}["']?\/etc\/sudoers/
        $run_key = /reg(\.exe)?[ \t]+add\s+["']?hk(cu|lm)\\[^\n]{0,60}\\Run(Once)?["']?\s[^\n]{0,200}(powershell|mshta|wscript|cscript|rundll32|regsvr32|%(temp|appdata|public)%|\\Temp\\|\\AppData\\)/ ascii wide nocase
        $run_value = /(New|Set)-ItemProperty[^\n]{0,120}\\CurrentVersion\\Run(Once)?\b[^\n]{0,300}(powershell|mshta|wscript|rundll32|\$env:(temp|appdata|public)|-enc)/ ascii wide nocase
        $reg_file = /\\CurrentVersion\\Run(Once)?\][\x00-\xff]{0,300}(powershell|mshta|wscript|rundll32|regsvr32|\\\\Temp\\\\|\\\\AppData\\\\)/ ascii wide nocase
        $task = /schtasks(\.exe)?\s[^\n]{0,60}\/create\b[^\n]{0,300}(powershell|mshta|wscript|cscript|rundll32|%(temp|appdata|public)%|\\AppData\\|\\Temp\\|https?:)/ ascii wide nocase
    condition:
        any of them
}
