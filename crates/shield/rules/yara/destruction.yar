// What takes files from people.

rule backups_deleted {
    meta:
        needs = "vssadmin|shadowcopy|wbadmin|bcdedit"
        id = "code/backups-deleted"
        level = "HIGH"
        prose = "LOW"
        reason = "it deletes the copies by which a machine could be restored"
    strings:
        $shadow = /vssadmin(\.exe)?\s+(delete\s+shadows|resize\s+shadowstorage)/ ascii wide nocase
        $wmic = /wmic(\.exe)?\s+shadowcopy\s+delete/ ascii wide nocase
        $catalog = /wbadmin(\.exe)?\s+delete\s+(catalog|systemstatebackup|backup)/ ascii wide nocase
        $recovery = /bcdedit(\.exe)?\s+\/set\s+[^\n]{1,40}\b(recoveryenabled\s+no|bootstatuspolicy\s+ignoreallfailures)/ ascii wide nocase
        $powershell = /Win32_ShadowCopy[^\n]{0,80}(Delete\(\)|Remove-WmiObject|Remove-CimInstance)/ ascii wide nocase
    condition:
        any of them
}

rule ransom_note {
    meta:
        needs = "bitcoin|btc|monero|xmr|ransom|payment|cryptocurrency"
        id = "code/ransom-note"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it demands money for files that were made unreadable"
        advice = "pay nothing before you asked somebody who knows; look for a backup"
    strings:
        $taken = /\b(all\s+)?(of\s+)?your\s+[^\n.]{0,60}(files|data|documents|network|servers|databases)\b[^.]{0,80}\b(have\s+been|has\s+been|were|was|are)\s+[^.]{0,30}(encrypted|locked|stolen|exfiltrated)/ ascii wide nocase
        $price = /\b(bitcoins?|btc|monero|xmr|ransom|payment|cryptocurrency)\b/ ascii wide nocase
        $reach = /\.onion\b|\btor\s+browser\b|\btox\s+id\b|\b(bc1[a-z0-9]{25,60}|[13][a-km-zA-HJ-NP-Z1-9]{25,34})\b|@(protonmail|onionmail|tutanota|cock|airmail)\b/ ascii wide nocase
        $key = /\bdecrypt(or|ion|er)?\b/ ascii wide nocase
    condition:
        $taken and $price and $reach and $key
}

rule wiper {
    meta:
        needs = "no-preserve-root|-rf |-fr |: &|:  &|of=/dev/| c:|c:\\|Remove-Item"
        needs_bytes = "2D726609|2D667209|09633A|3A0926|3A0909|3A0920|3A2009|3A267D|3A2620|3A2609|3A260A|3A260B|3A260C|3A260D"
        id = "code/wiper"
        level = "HIGH"
        prose = "LOW"
        reason = "it deletes everything that it can reach, or makes the machine useless"
    strings:
        $root = /\brm\s+-(rf|fr|r\s+-f|f\s+-r)\s[^\n]{0,20}--no-preserve-root\s[^\n]{0,10}\/|\brm\s[^\n]{0,20}-(rf|fr)\s+[^\n]{0,10}\/\s[^\n]{0,10}--no-preserve-root|\brm\s+--no-preserve-root\s+-(rf|fr)\s+\//
        $home = /\brm\s+-(rf|fr)[ \t]+(\/|~|\$HOME|\/home|\/etc|\/var)(\/)?\*?\s{0,3}(&|;|\||\n|$|2>|>)/
        $bomb = /:\s{0,2}\(\s{0,2}\)\s{0,2}\{\s{0,2}:\s{0,2}\|\s{0,2}:[ \t]{0,2}&\s{0,2}\}\s{0,2};\s{0,2}:/
        $disk = /\bdd\s+[^\n]{0,60}if=\/dev\/(zero|u?random)\s[^\n]{0,60}of=\/dev\/(sd[a-z]|nvme[0-9]n[0-9]|vda|hda|mmcblk0|disk[0-9])\b/
        $windows = /\b(format[ \t]+c:\s+\/[yq]|del\s+\/[fsq]\s+\/[fsq]\s+[^\n]{0,10}c:\\(\*|windows|users)|rd\s+\/s\s+\/q\s+c:\\($|\s|windows|users))/ nocase
        $cipher = /Remove-Item\s+[^\n]{0,30}(C:\\|\$env:(USERPROFILE|SystemDrive)\\?)\*?["']?\s[^\n]{0,40}-Recurse[^\n]{0,20}-Force/ ascii wide nocase
    condition:
        any of them
}
