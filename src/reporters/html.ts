import { renderDrillsHtml } from '../report/html/drills-html.ts';
import { drillsPageKind } from './lib/drills-page-kind.ts';

/** One HTML page for the whole command. */
export const html = drillsPageKind('html', 'drills.html', renderDrillsHtml);
