import type { Candidates } from '../complete-words.ts';

/** Shells with a completion script. */
export const shells = ['bash', 'zsh', 'fish'] as const;

/** The hidden command that the scripts run at each Tab, so that the installed version provides the candidates. */
export const completeCommand = '__complete';

/** The candidates for the scripts: their kind, then one word per line, with a tab and its description. */
export function candidatesText(candidates: Candidates): string {
  if (candidates.kind !== 'words') return `${candidates.kind}\n`;
  const lines = candidates.words.map(({ word, about }) => (about === undefined ? word : `${word}\t${about}`));
  return ['words', ...lines, ''].join('\n');
}

/** The completion script for a shell. */
export function completionScript(shell: (typeof shells)[number]): string {
  return scripts[shell];
}

const scripts = {
  bash: `# firedrill completion for bash: eval "$(firedrill completion bash)" in ~/.bashrc
_firedrill() {
  local current=\${COMP_WORDS[COMP_CWORD]} line
  local -a said
  COMPREPLY=()
  mapfile -t said < <("\${COMP_WORDS[0]}" ${completeCommand} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [ "$current" = '=' ] && current=''
  case "\${said[0]}" in
    files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    folders) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    words) for line in "\${said[@]:1}"; do COMPREPLY+=("\${line%%$'\\t'*}"); done ;;
  esac
}
complete -F _firedrill firedrill
`,
  zsh: `#compdef firedrill
# firedrill completion for zsh: eval "$(firedrill completion zsh)" in ~/.zshrc after compinit, or as _firedrill on the fpath
_firedrill() {
  local -a said words_there
  said=("\${(@f)$("\${words[1]}" ${completeCommand} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  case "$said[1]" in
    files) _files ;;
    folders) _files -/ ;;
    words)
      words_there=("\${(@)said[2,-1]}")
      words_there=("\${(@)words_there//:/\\\\:}")
      words_there=("\${(@)words_there/$'\\t'/:}")
      _describe firedrill words_there ;;
  esac
}
if [ "\${funcstack[1]}" = _firedrill ]; then _firedrill "$@"; else compdef _firedrill firedrill; fi
`,
  fish: `# firedrill completion for fish: firedrill completion fish > ~/.config/fish/completions/firedrill.fish
function __firedrill_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l said ($words[1] ${completeCommand} -- $words[2..-1] "$current" 2>/dev/null)
    switch "$said[1]"
        case files
            __fish_complete_path "$current"
        case folders
            __fish_complete_directories "$current"
        case words
            for line in $said[2..-1]
                echo $line
            end
    end
end
complete -c firedrill -f -a '(__firedrill_complete)'
`,
} as const;
