// What burglars bring along.

rule credential_dumper {
    meta:
        needs = "sekurlsa|lsadump|gentilkiwi|Invoke-Mimikatz|kerberos::golden|lsass|comsvcs|hklm"
        id = "code/credential-dumper"
        level = "HIGH"
        prose = "LOW"
        reason = "it is, or calls, a tool that reads the passwords of a machine"
    strings:
        $a = "sekurlsa::logonpasswords" ascii wide nocase
        $b = "lsadump::" ascii wide nocase
        $c = "gentilkiwi" ascii wide nocase
        $d = "Invoke-Mimikatz" ascii wide nocase
        $e = "kerberos::golden" ascii wide nocase
        $f = /procdump(64)?(\.exe)?\s[^\n]{0,60}-ma\s[^\n]{0,20}lsass/ ascii wide nocase
        $g = /comsvcs\.dll,?\s{0,3}(MiniDump|#24)/ ascii wide nocase
        $h = /reg(\.exe)?\s+save\s+hklm\\(sam|security|system)\b/ ascii wide nocase
    condition:
        any of them
}

rule guard_switched_off {
    meta:
        needs = "amsi|MpPreference|netsh|setenforce|auditd|apparmor|falcon-sensor|clamav-daemon"
        id = "code/guard-switched-off"
        level = "HIGH"
        prose = "LOW"
        reason = "it switches off what watches over programs on the machine"
    strings:
        $a = "amsiInitFailed" ascii wide nocase
        $b = /AmsiScanBuffer[\x00-\xff]{0,600}(VirtualProtect|WriteProcessMemory|Marshal\]?::Copy)/ ascii wide nocase
        $c = /Set-MpPreference\s[^\n]{0,80}-Disable(RealtimeMonitoring|IOAVProtection|ScriptScanning|BehaviorMonitoring)\s+(\$true|1)/ ascii wide nocase
        $d = /Add-MpPreference\s[^\n]{0,40}-ExclusionPath\s+["']?([a-z]:\\?["']?\s|\$env:(temp|appdata|public)|%(temp|appdata)%)/ ascii wide nocase
        $e = /netsh\s+(advfirewall\s+set\s+\w+profiles?|firewall\s+set\s+opmode)\s+(state\s+off|disable)/ ascii wide nocase
        $f = /\b(setenforce\s+0|systemctl\s+(stop|disable)\s+(auditd|apparmor|falcon-sensor|clamav-daemon))\b[\x00-\xff]{0,400}\b(curl|wget)\b/
    condition:
        any of them
}

rule shellcode {
    meta:
        needs = "\\xfc\\x|0xfc|fc4883e4f0e8|/EiD5PDo|/OiCAAAA"
        needs_bytes = "FCE882000000|FCE889000000|FCE88F000000|FC4883E4F0E8|6A2958996A02|31DBF7E35343|48BB2F62696E2F"
        id = "code/shellcode"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it carries machine code that fetches more, as attack tools make it"
    strings:
        $x86 = { FC E8 (82|89|8F) 00 00 00 60 (89 E5|31 D2) [2-8] 64 8B }
        $x64 = { FC 48 83 E4 F0 E8 (C0|C8|CC) 00 00 00 41 51 41 50 52 }
        $linux64 = { 6A 29 58 99 6A 02 5F 6A 01 5E 0F 05 }
        $linux86 = { 31 DB F7 E3 53 43 53 6A 02 (89 E1|B0 66) }
        $spawn64 = { 48 BB 2F 62 69 6E 2F (2F 73 68|73 68 00) [0-12] 0F 05 }
        $text86 = /\\xfc\\xe8\\x(82|89|8f)\\x00\\x00\\x00/ nocase
        $text64 = /\\xfc\\x48\\x83\\xe4\\xf0\\xe8/ nocase
        $array64 = /0xfc,\s{0,2}0x48,\s{0,2}0x83,\s{0,2}0xe4,\s{0,2}0xf0/ nocase
        $array86 = /0xfc,\s{0,2}0xe8,\s{0,2}0x(82|89|8f),\s{0,2}0x00,\s{0,2}0x00/ nocase
        $hex64 = "fc4883e4f0e8" nocase
        $coded64 = "/EiD5PDo" ascii wide
        $coded86 = "/OiCAAAAYInlMc" ascii wide
    condition:
        any of them
}

rule code_put_into_memory {
    meta:
        of = "scripts"
        needs = "VirtualAlloc|NtAllocateVirtualMemory|mmap.mmap|HeapCreate"
        id = "code/memory-loader"
        level = "HIGH"
        prose = "LOW"
        reason = "a script puts machine code into memory and runs it"
    strings:
        $script = /\[DllImport\s?\(|Add-Type|ctypes\.windll|ctypes\.CDLL|Declare\s+(PtrSafe\s+)?Function|GetDelegateForFunctionPointer|syscall\.NewLazyDLL/ ascii wide nocase
        $alloc = /VirtualAlloc(Ex)?\b|NtAllocateVirtualMemory|mmap\.mmap|HeapCreate/ ascii wide nocase
        $run = /CreateThread\b|CreateRemoteThread|QueueUserAPC|EnumSystemLocales|CallWindowProc|NtCreateThreadEx|WaitForSingleObject/ ascii wide nocase
        $copy = /RtlMoveMemory|Marshal\]?(::|\.)Copy|WriteProcessMemory|memmove|RtlCopyMemory/ ascii wide nocase
    condition:
        $script and $alloc and $run and $copy
}

rule beacon {
    meta:
        needs = "beacon.x64|ReflectiveLoader|stdapi_sys|metsrv|meterpreter|Invoke-Shellcode|Invoke-Reflective"
        id = "code/beacon"
        level = "HIGH"
        prose = "LOW"
        reason = "it is part of a tool by which burglars steer machines from afar"
    strings:
        $a = "beacon.x64.dll" ascii wide
        $b = "ReflectiveLoader" ascii
        $c = "%s as %s\\%s: %d" ascii
        $d = "stdapi_sys_process" ascii
        $e = "metsrv.dll" ascii wide
        $f = "windows/meterpreter" ascii wide
        $g = "Invoke-Shellcode" ascii wide nocase
        $h = "Invoke-ReflectivePEInjection" ascii wide nocase
    condition:
        $a or $e or $g or $h or ($b and ($c or $d)) or ($d and $f)
}

rule scanner_test_program {
    meta:
        needs_bytes = "BB7110400033C05050"
        id = "program/test-file"
        level = "HIGH"
        reason = "it is a program by which scanners are tested (ClamAV)"
        advice = "it does no harm by itself; do not send it on"
    strings:
        $code = { BB 71 10 40 00 33 C0 50 50 8B F3 53 53 50 B0 29 40 30 04 66 AC 79 F9 BA }
    condition:
        $code
}
