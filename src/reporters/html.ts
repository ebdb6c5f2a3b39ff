import { renderDrillsHtml } from '../report/html/drills-html.ts';
import { drillsPageKind } from './lib/drills-page-kind.ts';

/** One page for the whole command, for a browser. */
export const html = drillsPageKind('html', 'drills.html', renderDrillsHtml);
