// Changes the mode of a stand-in of main.ts: node set-mode.ts SERVICE MODE
import { controlPort } from './control.ts';

const [name = '', mode = ''] = process.argv.slice(2);
const response = await fetch(`http://127.0.0.1:${controlPort}/${name}/${mode}`, { method: 'POST' });
process.stdout.write(await response.text());
process.exitCode = response.ok ? 0 : 2;
