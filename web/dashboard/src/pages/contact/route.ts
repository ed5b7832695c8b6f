import { page } from '../../app/page';

export default [
  page({
    path: '/w/:slug/contact',
    access: 'workspace',
    load: () => import('./Contact'),
    navigation: { group: 'admin', order: 35, icon: 'mail', label: 'contact' },
  }),
  page({ path: '/contact/:workspace', access: 'everybody', load: () => import('./Write') }),
];
