// Scripts and pages that leave a program behind.

rule script_host_runs {
    meta:
        of = "scripts"
        needs = "WScript.Shell|Shell.Application|Wscript.CreateObject|MMC20.Application|FileSystemObject"
        id = "code/script-host"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "a script for Windows runs commands or fetches programs"
    strings:
        $shell = /WScript\.Shell|Shell\.Application|Wscript\.CreateObject|MMC20\.Application|Scripting\.FileSystemObject/ ascii wide nocase
        $made = /(CreateObject|ActiveXObject|GetObject)\s{0,2}\(/ ascii wide nocase
        $fetch = /M(icroso|S)ft?(XML2)?\.(Server)?XMLHTTP|WinHttp\.WinHttpRequest|ADODB\.Stream|URLDownloadToFile|InternetExplorer\.Application/ ascii wide nocase
        $run = /\.(Run|Exec|ShellExecute)\s{0,2}[( ]\s{0,2}[^\n]{0,200}(powershell|cmd(\.exe)?\s|mshta|wscript|cscript|rundll32|regsvr32|certutil|bitsadmin|curl|https?:|%temp%|\.exe|\.dll|\.ps1|\.hta)/ ascii wide nocase
    condition:
        $made and $shell and ($fetch or $run)
}

rule page_is_a_program {
    meta:
        needs = "hta:application|WScript.Shell|Shell.Application"
        id = "code/hta"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "a page that Windows runs as a program, without the walls of a browser"
    strings:
        $application = /<hta:application/ ascii wide nocase
        $script = /<script/ ascii wide nocase
        $object = /ActiveXObject|CreateObject|GetObject\s{0,2}\(/ ascii wide nocase
        $shell = /(ActiveXObject|CreateObject|GetObject)\s{0,2}\(\s{0,2}['"](WScript\.Shell|Shell\.Application)/ ascii wide nocase
    condition:
        ($application and $script and $object) or ($script in (0..2048) and $object and $shell)
}

rule smuggled_in_a_page {
    meta:
        needs = "TVqQ|TVpQ|TVoA|UEsDB|N3q8ryccA|UmFyIRoH|0M8R4KGx|TVNDRg|Q0QwMD"
        id = "code/html-smuggling"
        level = "HIGH"
        reason = "a page puts a program or an archive together in the browser and saves it"
        advice = "do not open it in a browser"
    strings:
        $script = /<script/ nocase
        $decode = /\batob\s{0,2}\(|fromCharCode|charCodeAt|Uint8Array/
        $blob = /new\s+(Blob|File)\s{0,2}\(/
        $save = /msSaveOrOpenBlob|msSaveBlob|\.download\s{0,2}=|setAttribute\s{0,2}\(\s{0,2}['"]download|createObjectURL/
        $program = /['"`](TVqQ|TVpQ|TVoA|UEsDB[A-Za-z0-9+\/]|N3q8ryccA|UmFyIRoH|0M8R4KGx|TVNDRg|Q0QwMD)[A-Za-z0-9+\/]{100}/
    condition:
        all of them
}

rule obfuscated_script {
    meta:
        needs = "_0x|Chr(|ChrW(|Chr$(|fromCharCode|(![]|[char]|-f '|-f'|:~-|:~0|:~1|:~2|:~3|:~4|:~5|:~6|:~7|:~8|:~9"
        id = "code/obfuscated"
        level = "MEDIUM"
        prose = "LOW"
        reason = "the text of a program was made unreadable on purpose"
        advice = "ask for the source; run nothing that nobody can read"
    strings:
        $renamed = /\b_0x[0-9a-f]{4,6}\b/
        $loop = /while\s{0,2}\(\s{0,2}!!\s{0,2}\[\s{0,2}\]\s{0,2}\)/
        $parsed = /parseInt\s{0,2}\(\s{0,2}_0x[0-9a-f]{4,6}\s{0,2}\(\s{0,2}0x/
        $chars = /(Chr[W$]?\s{0,2}\(\s{0,2}[0-9]{1,3}\s{0,2}\)\s{0,2}[&+]\s{0,2}){12}/ nocase
        $codes = /fromCharCode\s{0,2}\(\s{0,2}([0-9]{2,3}\s{0,2},\s{0,2}){40}/
        $jsfuck = /\(!\[\]\+\[\]\)[\[\]()!+]{200}/
        $powershell = /(\[char\]\s{0,2}(0x)?[0-9a-f]{2,3}\s{0,2}\+\s{0,2}){10}/ nocase
        $formatted = /-f\s{0,3}('[^'\n]{1,12}'\s{0,2},\s{0,2}){8}/
        $batch = /(%\w{1,12}:~[0-9-]{1,4},1%){10}/
    condition:
        ($loop and #renamed > 10) or $parsed or $chars or $codes or $jsfuck or $powershell or $formatted or $batch
}

rule obfuscated_script_host {
    meta:
        needs = "#@~^|Chr(|ChrW(|Chr$(|fromCharCode"
        id = "code/obfuscated-script-host"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "a script for Windows was made unreadable and starts something"
    strings:
        $encoded = /#@~\^[A-Za-z0-9+\/=]{6,12}/
        $chars = /(Chr[W$]?\s{0,2}\(\s{0,2}[0-9]{1,3}\s{0,2}\)\s{0,2}[&+]\s{0,2}){12}/ nocase
        $codes = /fromCharCode\s{0,2}\(\s{0,2}([0-9]{2,3}\s{0,2},\s{0,2}){20}/
        $run = /\b(Execute(Global)?|WScript|ActiveXObject|CreateObject)\b\s{0,3}[\.(]/ nocase
    condition:
        $encoded at 0 or (($chars or $codes) and $run)
}

rule note_with_program {
    meta:
        needs_bytes = "E716E3BD65261145A4C48D4D0B7A9EAC"
        id = "code/notebook-program"
        level = "HIGH"
        reason = "a notebook of OneNote has a script or a program embedded in it"
        advice = "do not open it; ask the sender for the text"
    strings:
        $object = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC }
        $script = /WScript\.Shell|powershell|<hta:|<script|@echo off|cmd(\.exe)? \/c|CreateObject/ nocase ascii wide
        $program = "This program cannot be run in DOS mode"
    condition:
        $object and ($script or $program)
}
