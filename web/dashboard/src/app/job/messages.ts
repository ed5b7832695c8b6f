import { catalogue } from '../../i18n/catalogue';

export const MESSAGES = catalogue({ en: () => import('./messages.en'), de: () => import('./messages.de') });
