import { page } from '../../app/page';

export default page({ path: '/login', access: 'signed-out', load: () => import('./Login') });
