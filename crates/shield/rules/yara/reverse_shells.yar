// Programs that hand a shell to somebody on the net.

rule shell_over_device {
    meta:
        needs = "/dev/tcp|/dev/udp"
        id = "code/reverse-shell"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it gives a shell to whoever listens at an address on the net"
    strings:
        $redirected = /\b(ba|z|k|da)?sh\b[^\n]{0,60}[<>&]{1,3}\s{0,3}\/dev\/(tcp|udp)\/[^\s\/]{1,80}\/[^\s]{1,12}/
        $opened = /\bexec\s{1,4}[0-9]{1,3}<>\s{0,3}\/dev\/(tcp|udp)\/[^\s]{1,80}/
        $read = /\/dev\/tcp\/[^\n]{1,100}\|\s{0,3}(while read|(ba|z)?sh\b)/
    condition:
        any of them
}

rule shell_over_netcat {
    meta:
        needs = "-e |-e=|-c |-c=|--exec|--sh-exec|mkfifo|mknod|telnet|s_client|exec:"
        reach = "1000"
        id = "code/reverse-shell"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it gives a shell to whoever listens at an address on the net"
    strings:
        $exec = /\b(nc|ncat|netcat)(\.exe|\.traditional|\.openbsd)?\s[^\n|;]{0,80}(-e|-c|--exec|--sh-exec)[ =]{1,2}['"]?(cmd(\.exe)?|powershell|(\/usr)?(\/bin\/)?(ba|z|k|da|a)?sh)\b/ nocase
        $pipe = /mk(fifo|nod)\s[^\n]{1,120}\|\s{0,4}(\/bin\/)?(ba|z|k|da)?sh\s[^\n]{0,60}\|\s{0,4}(nc|ncat|netcat|telnet|openssl|socat)\s/
        $tool = /\b(telnet|openssl s_client)\s[^\n]{1,100}\|\s{0,4}(\/bin\/)?(ba|z|k|da)?sh\b/
        $socat = /\bsocat\s[^\n]{0,200}exec:\s?['"]{0,2}[^\n]{0,20}\b(cmd|powershell|(ba|z|k|da)?sh)\b/ nocase
    condition:
        any of them
}

rule shell_in_python {
    meta:
        needs = "dup2|pty.spawn|.recv"
        id = "code/reverse-shell"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it connects to an address on the net and gives it a shell"
    strings:
        $socket = /\bsocket\b[^\n]{0,60}\bsocket\s{0,2}\(|\bsocket\.socket\b|create_connection\s{0,2}\(/
        $connect = /\.connect(_ex)?\s{0,2}\(|create_connection\s{0,2}\(/
        $doubled = /\bdup2\s{0,2}\(\s{0,4}\w{1,24}(\.fileno\s{0,2}\(\s{0,2}\))?\s{0,2},\s{0,4}(\w{1,20}|[012])\s{0,2}\)/
        $pty = /\bpty\.spawn\s{0,2}\(/
        $shell = /['"](\/usr)?\/bin\/(ba|z|k|da)?sh['"]|['"](ba|z|da)?sh['"]\s{0,2},\s{0,2}['"]-i|['"](cmd|powershell)(\.exe)?['"]/ nocase
        $received = /(check_output|Popen|subprocess\.run|getoutput|os\.popen|os\.system)\s{0,2}\([^\n]{0,80}(recv|\bcmd\b|command|data)\b[^\n]{0,120}/
        $sent = /\.recv\s{0,2}\(/
        $back = /\.send(all)?\s{0,2}\([^\n]{0,60}(out|res|proc|stdout|result|output)/ nocase
        $imported = /\bimport\b[^\n]{0,60}\bsocket\b/
    condition:
        $socket and $connect and (($doubled and ($shell or $pty)) or ($pty and $shell) or ($imported and $received and $sent and $back))
}

rule shell_in_other_languages {
    meta:
        needs = "(STDIN|(STDOUT|(STDERR|IO::Socket|fsockopen|TCPSocket|.stdin|.stdio|.connect|socket.tcp|/inet/|getRuntime|ProcessBuilder|net.Dial|dup2"
        id = "code/reverse-shell"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it connects to an address on the net and gives it a shell"
    strings:
        $perl = /socket\s{0,2}\([^\n]{1,120}connect\s{0,2}\([^\n]{1,200}open\s?\(STD(IN|OUT|ERR)\s{0,2},\s{0,2}['"][<>]{1,2}&/ nocase
        $perl_io = /IO::Socket::INET[^\n]{1,300}(STDIN->fdopen|system\s?\$_|exec\s?\{?['"]\/bin\/)/
        $php = /fsockopen\s{0,2}\([^\n]{1,200}(exec|system|passthru|popen|proc_open|`)[^\n]{0,60}\b(ba|z|da)?sh\b/
        $ruby = /TCPSocket\.(new|open)[^\n]{1,200}(exec\b|IO\.popen|spawn)/
        $node = /(spawn|exec|execFile)\s{0,2}\(\s{0,2}['"`](\/bin\/)?(ba|z|da)?(sh|cmd(\.exe)?|powershell)['"`][\x00-\xff]{0,400}\.(pipe\s{0,2}\(\s{0,2}\w{1,20}\.(stdin|stdio)|connect\s{0,2}\()/
        $node_net = /require\s{0,2}\(\s{0,2}['"]net['"]\s{0,2}\)[\x00-\xff]{0,600}\.pipe\s{0,2}\(\s{0,2}\w{1,20}\.stdin/
        $lua = /socket\.tcp\(\)[^\n]{0,120}:?connect\([^\n]{1,200}(io\.popen|os\.execute)/
        $awk = /\/inet\/(tcp|udp)\/0\/[^\n]{1,200}getline[^\n]{0,100}(while|\|)[^\n]{0,80}\|\s?getline/
        $java = /Runtime\.getRuntime\(\)\.exec\([^\n]{0,120}\/dev\/tcp\//
        $java_socket = /new\s+Socket\s{0,2}\([\x00-\xff]{1,400}ProcessBuilder\s{0,2}\([^\n]{0,60}(sh|cmd|powershell)/
        $go = /net\.Dial\s{0,2}\([\x00-\xff]{1,400}exec\.Command\s{0,2}\(\s{0,2}["'](\/bin\/)?(sh|bash|cmd|powershell)[\x00-\xff]{0,400}\.Std(in|out)\s{0,2}=\s{0,2}\w{1,20}\b/
        $c = /\bconnect\s{0,2}\([\x00-\xff]{1,600}\bdup2\s{0,2}\([\x00-\xff]{1,300}exec(ve|l|lp|v)\s{0,2}\(\s{0,2}["'][^"'\n]{0,20}(sh|\/bin\/)/
    condition:
        any of them
}

rule shell_in_powershell {
    meta:
        needs = "TCPClient"
        id = "code/reverse-shell"
        level = "HIGH"
        prose = "MEDIUM"
        reason = "it connects to an address on the net and runs what comes from there"
    strings:
        $client = /Sockets\.TCPClient/ ascii wide nocase
        $stream = "GetStream" ascii wide nocase
        $run = /\biex\b|Invoke-Expression|Start-Process|Diagnostics\.Process|Invoke-Command/ ascii wide nocase
    condition:
        all of them
}
