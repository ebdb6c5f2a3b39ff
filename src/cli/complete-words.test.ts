import { Argument, Command, Option } from 'commander';
import { describe, expect, test } from 'vitest';
import { completeWords } from './complete-words.ts';
import { RepeatableOption } from './repeatable-option.ts';

const program = new Command('tool').version('1');
program
  .command('run')
  .description('run it')
  .argument('<scenario...>')
  .addOption(new Option('--as <kind>', 'what').choices(['this', 'that']))
  .option('--target <file>', 'a file')
  .option('--out <folder>', 'a folder')
  .option('--stack <name>', 'a stack')
  .option('--reporter <name[=value],...>', 'reporters')
  .option('--forget <run/fault>', 'a fault')
  .option('--grep <regex>', 'a text')
  .addOption(new RepeatableOption('--var <pair>', 'a variable'))
  .option('-n, --lines <n>', 'how many')
  .option('--json', 'as JSON');
program.command('test').argument('<module>');
program.command('schema').addArgument(new Argument('<kind>').choices(['one', 'two']));
program.command('secret', { hidden: true });
const lab = program.command('lab');
lab.command('up').option('--stack <name>', 'a stack');

/** The candidates for a line, whose last word is incomplete. */
function offered(line: string): readonly string[] | string {
  const candidates = completeWords(program, line.split(' '), {
    stack: () => ['alpha', 'beta'],
    reporter: ({ operands, values }) => ['list', 'json', ...operands, ...values.values()],
  });
  return candidates.kind === 'words' ? candidates.words.map(({ word }) => word) : candidates.kind;
}

describe('the candidates', () => {
  test.each<[string, readonly string[] | string]>([
    ['', ['run', 'test', 'schema', 'lab', 'help']],
    ['s', ['schema']],
    ['--v', ['--version']],
    ['lab ', ['up', 'help']],
    ['lab up --stack a', ['alpha']],
    ['run ', 'files'],
    ['run a.yaml b', 'files'],
    ['run --as ', ['this', 'that']],
    ['run --as=thi', ['--as=this']],
    ['run --as = tha', ['that']],
    ['run --as =', ['this', 'that']],
    ['run --as this --a', []],
    ['run --var x=1 --v', ['--var']],
    ['run --target ', 'files'],
    ['run --out ', 'folders'],
    ['run --stack ', ['alpha', 'beta']],
    ['run --grep ', []],
    ['run --forget ', []],
    ['test ', 'files'],
    ['run --reporter ', ['list', 'json']],
    ['run --reporter list,js', ['list,json']],
    ['run --reporter=list,js', ['--reporter=list,json']],
    ['run jo --target=jb --out jc --reporter j', ['json', 'jo', 'jb', 'jc']],
    ['run -n 5 --li', []],
    ['run --unknown x --js', ['--json']],
    ['run -- ', []],
    ['schema ', ['one', 'two']],
    ['schema one --h', ['--help']],
    ['nonsense ', ['--version', '--help']],
  ])('"%s"', (line, expected) => {
    expect(offered(line)).toEqual(expected);
  });

  test('include the description of the program', () => {
    expect(completeWords(program, ['ru'], {})).toEqual({
      kind: 'words',
      words: [{ word: 'run', about: 'run it' }],
    });
  });
});
