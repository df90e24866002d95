// Pages that run what is sent to them.

rule webshell_php {
    meta:
        needs = "$_GET|$_POST|$_REQUEST|$_COOKIE|$_SERVER|HTTP_RAW_POST|php://input|gzinflate|gzuncompress|gzdecode|str_rot13|strrev|base64_decode|hex2bin|convert_uudecode|rawurldecode|preg_replace"
        id = "code/webshell"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it runs on a server whatever a visitor sends"
    strings:
        $direct = /\b(eval|assert|system|passthru|shell_exec|exec|popen|proc_open|pcntl_exec|create_function)\s{0,3}\(\s{0,3}@?(\w{1,20}\s{0,2}\(\s{0,2}){0,3}(\$_(GET|POST|REQUEST|COOKIE|SERVER)|\$HTTP_RAW_POST_DATA|file_get_contents\s{0,2}\(\s{0,2}['"]php:\/\/input)/ nocase
        $variable = /\$_(GET|POST|REQUEST|COOKIE)\s{0,2}\[[^\]\n]{1,40}\]\s{0,3}\(\s{0,3}@?\$_(GET|POST|REQUEST|COOKIE)/ nocase
        $ticks = /`\s{0,2}\{?\$_(GET|POST|REQUEST|COOKIE)\s{0,2}\[[^`\n]{1,60}`/
        $coded = /\b(eval|assert)\s{0,3}\(\s{0,3}@?((gzinflate|gzuncompress|gzdecode|str_rot13|strrev|base64_decode|hex2bin|convert_uudecode|rawurldecode)\s{0,2}\(\s{0,2}){1,6}['"$]/ nocase
        $replaced = /preg_replace\s{0,2}\(\s{0,2}['"]\/[^'"\n]{0,80}\/[a-z]{0,4}e[a-z]{0,4}['"]\s{0,2},[^\n]{0,80}\$_(GET|POST|REQUEST|COOKIE)/ nocase
        $called = /(call_user_func(_array)?|array_map|usort|array_filter)\s{0,2}\(\s{0,2}@?\$_(GET|POST|REQUEST|COOKIE)/ nocase
    condition:
        any of them
}

rule webshell_other {
    meta:
        needs = "getParameter|request(|request.|request[|request (|req.query|req.body|req.params"
        id = "code/webshell"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it runs on a server whatever a visitor sends"
    strings:
        $jsp = /getRuntime\s{0,2}\(\s{0,2}\)\s{0,2}\.\s{0,2}exec\s{0,2}\([^\n]{0,80}request\.getParameter/ nocase
        $jsp_var = /request\.getParameter\s{0,2}\([^\n]{1,60}\)[\x00-\xff]{0,300}(getRuntime\s{0,2}\(\s{0,2}\)\s{0,2}\.\s{0,2}exec|new\s+ProcessBuilder)\s{0,2}\(/
        $page = "<%"
        $asp = /\b(eval|execute|executeglobal)(\s{0,3}\(\s{0,3}|\s{1,3})request(\.\w{1,12})?\s{0,2}[\[(]/ nocase
        $aspx = /Process(StartInfo)?[\x00-\xff]{0,400}(cmd\.exe|powershell)[\x00-\xff]{0,400}Request(\.\w{1,12})?\s{0,2}[\[(]/ nocase
        $aspx_turned = /Request(\.\w{1,12})?\s{0,2}[\[(][\x00-\xff]{0,400}Process(StartInfo)?[\x00-\xff]{0,400}cmd\.exe/ nocase
        // Every pattern of JavaScript has an `exec` of its own.
        $flask = /(os\.popen|os\.system|subprocess\.(check_output|run|Popen|getoutput)|(^|[^.\w$])(eval|exec))\s{0,2}\(\s{0,2}(flask\.)?request\.(args|form|values|get_json|data|json)\b/
        $express = /(\bexecSync|(^|[^.\w$])(exec|eval)|(child_process|childProcess|child|cp|process|shell)['"]?\s{0,2}\)?\s{0,2}\.\s{0,2}exec)\s{0,2}\(\s{0,2}req\.(query|body|params)\b/
    condition:
        $jsp or $flask or $express or ($page and ($asp or $jsp_var or $aspx or $aspx_turned))
}

rule webshell_named {
    meta:
        needs = "c99shell|r57shell|b374k|FilesMan|WSO_VERSION|weevely"
        id = "code/webshell-known"
        level = "HIGH"
        prose = "LOW"
        reason = "it names itself after pages that burglars leave on servers"
    strings:
        $a = "c99shell" nocase
        $b = "r57shell" nocase
        $c = "b374k" nocase
        $d = "FilesMan"
        $e = "WSO_VERSION"
        $f = "weevely" nocase
        $php = "<?php" nocase
    condition:
        $php and any of ($a, $b, $c, $d, $e, $f)
}
