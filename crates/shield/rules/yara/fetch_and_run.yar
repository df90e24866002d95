// Scripts that fetch something and run it unseen.

rule fetched_from_nowhere {
    meta:
        needs = "curl|wget|fetch -"
        id = "code/fetch-and-run"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it fetches a script from an address without a name, or from where anybody can leave one, and runs it"
    strings:
        $address = /\b(curl|wget|fetch)\b[^\n|]{0,160}https?:\/\/([0-9]{1,3}\.){3}[0-9]{1,3}[^\n|]{0,160}\|\s{0,4}(sudo\s+(-\w+\s+)?)?(\/\w+){0,3}\/?(ba|z|k|da|a)?(sh|python[0-9.]*|perl|node|ruby|php)\b/
        $dropped = /\b(curl|wget|fetch)\b[^\n|]{0,160}https?:\/\/[^\s\/]{0,60}(pastebin|paste\.|hastebin|transfer\.sh|ngrok|trycloudflare|serveo|bit\.ly|tinyurl|is\.gd|file\.io|0x0\.st|termbin|ix\.io|discordapp|cdn\.discord|anonfiles|gofile|catbox|duckdns|\.onion|oast|webhook\.site|requestbin|pipedream)[^\n|]{0,160}\|\s{0,4}(sudo\s+(-\w+\s+)?)?(\/\w+){0,3}\/?(ba|z|k|da|a)?(sh|python[0-9.]*|perl|node|ruby|php)\b/
        $substituted = /\b(eval|source|bash\s+-c|sh\s+-c)\b\s{0,3}["']?(\$\(|`|<\()\s{0,3}(curl|wget)\b[^\n)`]{0,160}https?:\/\/(([0-9]{1,3}\.){3}[0-9]{1,3}|[^\s\/]{0,60}(pastebin|transfer\.sh|ngrok|bit\.ly|trycloudflare|0x0\.st|discord|duckdns|oast))/
        $started = /\b(curl|wget)\b[^\n]{0,200}https?:\/\/(([0-9]{1,3}\.){3}[0-9]{1,3}|[^\s\/]{0,60}(pastebin|transfer\.sh|ngrok|bit\.ly|trycloudflare|0x0\.st|discord|duckdns))[^\n]{0,200}(\n[^\n]{0,80}){0,3}chmod\s+(\+x|a\+x|u\+x|[0-7]{3,4})\b/
        $local = /https?:\/\/(127\.|localhost|10\.|192\.168\.)/
    condition:
        // What a manual fetches from the machine itself is no attack.
        ($dropped or $started or $substituted) or ($address and not $local)
}

rule fetched_and_run {
    meta:
        needs = "curl|wget|fetch"
        reach = "1000"
        id = "code/fetch-and-run-named"
        level = "LOW"
        prose = "CLEAN"
        reason = "it fetches a script and runs it, as many installers do"
        advice = "run it only if you trust the address in it"
    strings:
        $piped = /\b(curl|wget|fetch)\b[^\n|]{0,200}https?:\/\/[^\n|]{1,200}\|\s{0,4}(sudo\s{1,20}(-\w{1,20}\s{1,20})?)?(\/\w{1,40}){0,3}\/?(ba|z|k|da|a)?(sh|python[0-9.]{0,8}|perl|node|ruby|php)\b/
        $substituted = /\b(eval|source|bash\s{1,20}-c|sh\s{1,20}-c)\b\s{0,3}["']?(\$\(|`|<\()\s{0,3}(curl|wget)\b/
    condition:
        any of them
}

rule hidden_fetch {
    meta:
        needs = "curl|wget"
        id = "code/fetch-and-run-hidden"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it fetches something, runs it in the background, and hides that it does"
    strings:
        $quiet = /\b(nohup|setsid|disown)\b[^\n]{0,80}\b(curl|wget)\b[^\n]{1,300}\|\s{0,3}(ba|z|da)?sh\b[^\n]{0,80}(&|\/dev\/null)/
        $silent = /\b(curl|wget)\b[^\n|]{1,200}\|\s{0,3}(ba|z|da)?sh\b[^\n]{0,40}>\s{0,2}\/dev\/null[^\n]{0,20}&\s{0,2}(\n|$|['"`)])/
        $memory = /\b(curl|wget)\b[^\n]{1,240}\/(dev\/shm|var\/tmp)\/[^\n]{1,200}(\n[^\n]{0,80}){0,3}(chmod\s|\bsh\b|\bbash\b|&\s)/
    condition:
        any of them
}

rule decoded_by_a_shell {
    meta:
        needs = "base64|base32|xxd"
        id = "code/decode-and-run"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it decodes something that nobody can read and runs it"
    strings:
        $piped = /\b(base64\s+(-d|-D|--decode|-di)|openssl\s+(enc\s+)?(-)?base64\s+-d|xxd\s+-r(\s+-p)?|base32\s+-d)\b[^\n|]{0,80}(\|\s{0,3}(gunzip|zcat|gzip\s+-d)[^\n|]{0,20})?\|\s{0,3}(sudo\s+)?(\/\w+){0,3}\/?(ba|z|k|da)?(sh|python[0-9.]*|perl|ruby|node|php)\b/
        $substituted = /\b(eval|bash\s+-c|sh\s+-c|source)\b\s{0,3}["']?(\$\(|`|<\()[^\n]{0,4000}\b(base64\s+(-d|-D|--decode)|xxd\s+-r)/
    condition:
        any of them
}

rule decoded_and_run {
    meta:
        needs = "loads|b64decode|b32decode|b85decode|a85decode|decompress|unhexlify|fromhex|atob|unescape|decode64|Zlib::|decode_base64|unpack"
        reach = "1000"
        id = "code/decode-and-run"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it decodes something that nobody can read and runs it"
    strings:
        $python = /\b(exec|eval)\s{0,2}\(\s{0,2}(\(\s{0,2})?(lambda\b[^\n]{0,60})?(compile\s{0,2}\(\s{0,2})?((__import__\s{0,2}\(\s{0,2}['"](zlib|base64|marshal|codecs|bz2|lzma)['"]\s{0,2}\)|zlib|base64|marshal|codecs|bz2|lzma|binascii|bytes)\s{0,2}\.\s{0,2})?(b64decode|b32decode|b85decode|a85decode|decompress|loads|unhexlify|fromhex)\s{0,2}\(/
        $node = /\b(eval|Function)\s{0,2}\(\s{0,2}(atob|unescape|decodeURIComponent\s{0,2}\(\s{0,2}(escape\s{0,2}\(\s{0,2})?atob)/
        $ruby = /\beval\s{0,2}\(?\s{0,2}(Base64\.(strict_|urlsafe_)?decode64|Zlib::)/
        $perl = /\beval\s{0,2}\(?\s{0,2}(decode_base64|unpack\s{0,2}\(?\s{0,2}['"][uH])/
    condition:
        any of them
}

rule decoded_far_from_where_it_runs {
    meta:
        needs = "decode|Buffer.from|.pack"
        id = "code/decode-and-run"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it decodes something that nobody can read and runs it"
    strings:
        $python_codec = /\bexec\s{0,2}\(\s{0,2}(codecs\.)?decode\s{0,2}\([^\n]{1,4000}['"](rot_?13|hex|base64)/
        $node = /\b(eval|Function)\s{0,2}\(\s{0,2}Buffer\.from\s{0,2}\([^\n]{1,8000},\s{0,2}['"](base64|hex)['"]/
        $ruby = /\beval\s{0,2}\(?\s{0,2}\[['"][^\n]{1,4000}\.pack/
    condition:
        any of them
}

rule fetched_code_in_a_program {
    meta:
        needs = "exec(|exec |eval(|eval |new Function|vm.runIn|curl|wget|iwr|powershell"
        needs_bytes = "6578656309|657865630A|657865630B|657865630C|657865630D|6576616C09|6576616C0A|6576616C0B|6576616C0C|6576616C0D"
        reach = "1000"
        id = "code/fetch-and-run"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it fetches the text of a program and runs it"
    strings:
        $python = /\b(exec|eval)\s{0,2}\(\s{0,2}(compile\s{0,2}\(\s{0,2})?((__import__\s{0,2}\(\s{0,2}['"][\w.]{1,30}['"]\s{0,2}\)|urllib\.request|urllib2?|requests|httpx|aiohttp|session|http)[\w.]{0,30}\.\s{0,2})?(urlopen|get|post|request)\s{0,2}\([^\n]{0,300}['"]https?:\/\//
        $python_system = /\b(os\.system|os\.popen|subprocess\.\w{1,14}|getoutput)\s{0,2}\([^\n]{0,30}\b(curl|wget)\b[^\n]{1,200}\|\s{0,3}(ba|z|da)?(sh|python[0-9]?)\b/
        $node = /\b(exec|execSync|spawn|spawnSync)\s{0,2}\(\s{0,2}['"`][^\n]{0,30}\b(curl|wget|iwr|powershell)\b[^\n]{1,200}(\|\s{0,3}(ba|z|da)?(sh|node|python[0-9]?)\b|\biex\b|DownloadString)/
        $node_eval = /(https?\.get|fetch|axios(\.get)?|request)\s{0,2}\(\s{0,2}['"`]https?:\/\/[^\n]{1,200}[\x00-\xff]{0,300}\b(eval|new Function|vm\.runIn\w{3,20})\s{0,2}\(\s{0,2}(\w{1,16}(\.data|\.body|\.text\(\))?)\s{0,2}\)/
        $ruby = /\beval(\s{1,4}|\s{0,2}\(\s{0,2})(URI\.)?(open|Net::HTTP\.get)\s{0,2}\([^\n]{0,60}https?:/
        $perl = /\beval(\s{1,4}|\s{0,2}\(\s{0,2})(LWP::Simple::)?get\s{0,2}\(?\s{0,2}['"]https?:/
    condition:
        any of them
}

rule powershell_fetches {
    meta:
        needs = "iex|Invoke-Expression|DownloadFile"
        id = "code/powershell-fetch-and-run"
        level = "HIGH"
        prose = "LOW"
        reason = "PowerShell fetches the text of a program and runs it"
    strings:
        $iex = /\b(iex|Invoke-Expression)\b[^\n]{0,120}(DownloadString|DownloadData|Net\.WebClient|\b(Invoke-WebRequest|iwr|Invoke-RestMethod|irm)\s{1,4}(-\w{1,20}\s{1,4}){0,4}['"(]{0,2}(https?:|\$))/ ascii wide nocase
        $piped = /(DownloadString|\b(Invoke-WebRequest|iwr|Invoke-RestMethod|irm)\s{1,4}(-\w{1,20}\s{1,4}){0,4}['"(]{0,2}([a-z0-9]{1,40}\.|https?:|\$))[^\n]{1,300}\|\s{0,3}(iex\b|Invoke-Expression)/ ascii wide nocase
        $file = /Download(File|FileAsync)\s{0,2}\([^\n]{1,300}(Start-Process|Invoke-Item|\.Run\b|ShellExecute|&\s?\$|;\s?start\s)/ ascii wide nocase
        $known = /community\.chocolatey\.org|get\.scoop\.sh|chocolatey\.org\/install|raw\.githubusercontent\.com\/ScoopInstaller|astral\.sh|get\.pnpm\.io|bun\.sh|deno\.land|win\.rustup\.rs|aka\.ms/ nocase
    condition:
        any of ($iex, $piped, $file) and not $known
}

rule powershell_hidden {
    meta:
        needs = "powershell|pwsh|FromBase64String"
        id = "code/powershell-hidden"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "PowerShell is started so that nobody sees or can read what it does"
    strings:
        $coded = /\b(powershell|pwsh)(\.exe)?\b[^\n]{0,160}\s[-\/]e(n|nc|nco\w{0,11}|c)?\s+["']?[A-Za-z0-9+\/]{40}/ ascii wide nocase
        $unseen = /\b(powershell|pwsh)(\.exe)?\b[^\n]{0,160}[-\/]w(i|in|indowstyle)?\s+["']?(h|hi|hidden|1)\b[^\n]{0,300}(iex\b|Invoke-Expression|Download|Net\.WebClient|iwr\b|irm\b|FromBase64String|Start-BitsTransfer|-enc)/ ascii wide nocase
        $decoded = /FromBase64String[^\n]{1,8000}(\biex\b|Invoke-Expression|\.Invoke\(|Assembly\]?::Load|ScriptBlock\]?::Create)/ ascii wide nocase
        $run = /(\biex\b|Invoke-Expression|Assembly\]?::Load|ScriptBlock\]?::Create)[^\n]{0,200}FromBase64String/ ascii wide nocase
        $stream = /(\biex\b|Invoke-Expression|New-Object)[^\n]{0,200}(Compression\.(Gzip|Deflate)Stream)[^\n]{1,8000}FromBase64String/ ascii wide nocase
    condition:
        any of them
}

rule living_off_the_land {
    meta:
        needs = "certutil|bitsadmin|mshta|regsvr32|rundll32|msiexec|wmic|forfiles|cmd |cmd.exe"
        needs_bytes = "636D6409"
        id = "code/system-tool-fetches"
        level = "HIGH"
        prose = "LOW"
        reason = "a tool of the system is used to fetch or to run what its guards would stop"
    strings:
        $certutil = /certutil(\.exe)?\b[^\n]{0,60}[-\/](urlcache|decode|verifyctl)\b[^\n]{0,200}(https?:|\.exe|\.dll|\.bat|\.ps1|\.vbs|\.hta)/ ascii wide nocase
        $bits = /bitsadmin(\.exe)?\b[^\n]{0,60}\/(transfer|addfile)\b[^\n]{0,200}https?:/ ascii wide nocase
        $mshta = /mshta(\.exe)?\b["']?\s{1,4}["']?(https?:|javascript:|vbscript:|\\\\)/ ascii wide nocase
        $regsvr = /regsvr32(\.exe)?\b[^\n]{0,80}\/i:\s?["']?(https?:|\\\\)/ ascii wide nocase
        $rundll = /rundll32(\.exe)?\b[^\n]{0,80}(javascript:|url\.dll,|shell32\.dll,ShellExec_RunDLL|\\\\[0-9a-z.]{3,60}\\)/ ascii wide nocase
        $msiexec = /msiexec(\.exe)?\b[^\n]{0,80}\/i\s{0,3}["']?https?:[^\n]{0,200}\/q/ ascii wide nocase
        $msiexec_q = /msiexec(\.exe)?\b[^\n]{0,40}\/q[^\n]{0,60}\/i\s{0,3}["']?https?:/ ascii wide nocase
        $wmic = /wmic(\.exe)?\b[^\n]{0,80}(process\s+call\s+create|\/format:\s?["']?https?:)/ ascii wide nocase
        $curl = /\bcmd(\.exe)?[ \t]{1,4}\/[cr]\b[^\n]{0,80}\bcurl\b[^\n]{1,200}&&?\s{0,3}(start\b|%temp%|\w{0,40}\.(exe|bat|vbs|hta))/ ascii wide nocase
        $forfiles = /forfiles(\.exe)?\b[^\n]{0,80}\/c\s{0,3}["'][^\n]{0,80}(powershell|mshta|cmd\s)/ ascii wide nocase
    condition:
        any of them
}
