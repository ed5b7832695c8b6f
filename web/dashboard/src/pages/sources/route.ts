import { page } from '../../app/page';

export default [
  page({
    path: '/w/:slug/sources',
    access: 'workspace',
    load: () => import('./Sources'),
    navigation: { group: 'admin', order: 30, icon: 'plug', label: 'sources' },
  }),
  page({ path: '/w/:slug/sources/:sourceId', access: 'workspace', load: () => import('./Source') }),
  page({ path: '/form/:key', access: 'everybody', load: () => import('./PublicForm') }),
];
